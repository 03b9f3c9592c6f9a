package mockserver

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// correlate gives a request a correlation id that fits the document, its own if it has one
// and no other, and its answer the same.
func (s *Server) correlate(next http.Handler) http.Handler {
	name := spec.Nodes().CorrelationHeader
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r)
		if given := r.Header[name]; len(given) == 1 && nodeapi.ValidCorrelationID(given[0]) {
			x.correlationID = given[0]
		} else {
			x.correlationID = newCorrelationID()
		}
		w.Header()[name] = []string{x.correlationID}
		next.ServeHTTP(w, r)
	})
}

// newCorrelationID returns an id that no other request has. It is no secret.
func newCorrelationID() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// correlationID returns the correlation id of a request that correlate has passed on.
func (s *Server) correlationID(r *http.Request) string {
	return exchangeOf(r).correlationID
}
