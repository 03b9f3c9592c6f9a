package mockserver

import (
	"net/http"
	"slices"
	"time"
)

const (
	// patience is how long a client may take to read a piece of a long answer.
	patience = 15 * time.Second
	// pieceSize is the size of a piece in bytes. A shorter answer has no deadline: the
	// system takes it from the server even if the client does not read it, and one that
	// asks on and on without reading holds up nobody but itself.
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
		p.due(time.Now().Add(patience))
		n, err := p.ResponseWriter.Write(piece)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// flush sends what Write has not sent yet.
func (p piecewise) flush() error { return p.connection.Flush() }

// end leaves the connection without a deadline of ours, for its next request.
func (p piecewise) end() { p.due(time.Time{}) }

func (p piecewise) due(deadline time.Time) {
	_ = p.connection.SetWriteDeadline(deadline) // an error means that there is no connection, but memory
}
