package mockserver

import (
	"crypto/rand"
	"net/http"
)

// correlate sees to it that a request carries one correlation id that fits the
// document, and that its answer carries the same.
func (s *Server) correlate(next http.Handler) http.Handler {
	parameter := s.contract.correlationID
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Values(parameter.Name)
		if len(given) != 1 || s.contract.check(parameter.Schema.Value, given[0]) != nil {
			r = r.Clone(r.Context())
			r.Header.Set(parameter.Name, rand.Text())
		}
		w.Header().Set(parameter.Name, s.correlationID(r))
		next.ServeHTTP(w, r)
	})
}

// correlationID returns the correlation id of a request that correlate has passed on.
func (s *Server) correlationID(r *http.Request) string {
	return r.Header.Get(s.contract.correlationID.Name)
}
