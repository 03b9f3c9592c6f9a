package mockserver

import (
	"crypto/rand"
	"maps"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/wire"
)

// correlate sees to it that a request carries one correlation id that fits the
// document, and that its answer carries the same.
func (s *Server) correlate(next http.Handler) http.Handler {
	name := http.CanonicalHeaderKey(s.contract.correlationID.Name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r)
		if given := r.Header[name]; len(given) == 1 && wire.FitsCorrelationID(given[0]) {
			x.correlationID = given[0]
		} else {
			x.correlationID = rand.Text()
			maps.Copy(x.headers, r.Header) // which is not the server's to change
			x.headers[name] = []string{x.correlationID}
			r.Header = x.headers
		}
		w.Header()[name] = []string{x.correlationID}
		next.ServeHTTP(w, r)
	})
}

// correlationID returns the correlation id of a request that correlate has passed on.
func (s *Server) correlationID(r *http.Request) string {
	return exchangeOf(r).correlationID
}
