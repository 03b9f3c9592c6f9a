package exchange

import (
	"net/http"
	"slices"
	"time"
)

const (
	// readTimeout is how long a client may take to read a short answer, or a piece of a long one.
	readTimeout = 15 * time.Second
	// pieceSize is the size of a piece in bytes.
	pieceSize = 16 << 10
)

// Pieces sends a long answer in pieces. It is the pieces that have a deadline, not the answer.
// A slow client gets all of it, and one that has stopped reading is let go.
type Pieces struct {
	http.ResponseWriter
	connection *http.ResponseController
}

// NewPieces returns the pieces of an answer to a client.
func NewPieces(client http.ResponseWriter) Pieces {
	return Pieces{client, http.NewResponseController(client)}
}

// InPieces has the answers of a handler sent in pieces.
func InPieces(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pieces := NewPieces(w)
		defer pieces.End()
		handler.ServeHTTP(pieces, r)
	})
}

// Write sends a text in pieces.
func (p Pieces) Write(text []byte) (written int, err error) {
	for piece := range slices.Chunk(text, pieceSize) {
		p.due()
		n, err := p.ResponseWriter.Write(piece)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// Flush sends what Write has not sent yet.
func (p Pieces) Flush() error { return p.connection.Flush() }

// End leaves time for what the HTTP server has yet to send.
func (p Pieces) End() { p.due() }

func (p Pieces) due() {
	// An error means that there is no connection, but memory.
	_ = p.connection.SetWriteDeadline(time.Now().Add(readTimeout))
}

// SetDeadline gives a client time to read what is sent next. It does what Pieces does for
// the price that a short answer may have.
func SetDeadline(client http.ResponseWriter) {
	if connection, ok := client.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = connection.SetWriteDeadline(time.Now().Add(readTimeout))
	}
}
