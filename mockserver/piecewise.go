package mockserver

import (
	"net/http"
	"slices"
	"time"
)

const (
	// patience is how long a client may take to read a short answer, or a piece of a long one.
	patience = 15 * time.Second
	// pieceSize is the size of a piece in bytes.
	pieceSize = 16 << 10
)

// piecewise sends a long answer in pieces. It is the pieces that have a deadline, not the
// answer, so that a slow client gets all of it, and one that has stopped reading is let go.
type piecewise struct {
	http.ResponseWriter
	connection *http.ResponseController
}

func newPiecewise(client http.ResponseWriter) piecewise {
	return piecewise{client, http.NewResponseController(client)}
}

// inPieces has the answers of a handler sent in pieces.
func inPieces(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pieces := newPiecewise(w)
		defer pieces.end()
		handler.ServeHTTP(pieces, r)
	})
}

func (p piecewise) Write(text []byte) (written int, err error) {
	for piece := range slices.Chunk(text, pieceSize) {
		p.due()
		n, err := p.ResponseWriter.Write(piece)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// flush sends what Write has not sent yet.
func (p piecewise) flush() error { return p.connection.Flush() }

// end leaves time for what the HTTP server has yet to send.
func (p piecewise) end() { p.due() }

func (p piecewise) due() {
	_ = p.connection.SetWriteDeadline(time.Now().Add(patience)) // an error means that there is no connection, but memory
}

// setDeadline gives a client time to read what is sent next. It does what piecewise does for
// the price that a short answer may have.
func setDeadline(client http.ResponseWriter) {
	if connection, ok := client.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = connection.SetWriteDeadline(time.Now().Add(patience))
	}
}
