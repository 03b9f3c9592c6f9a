package mockserver

import (
	"math"
	"net/http"
	"strconv"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// checkProfile turns every request away while the cloud profile is off.
func (s *Server) checkProfile(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		settings := exchangeOf(r).settings
		if settings.cloudProfile {
			next.ServeHTTP(w, r)
			return
		}
		s.writeProblem(w, r, newProblem(nodeapi.ProblemCodeCloudProfileDisabled,
			"the cloud profile of this orchestratord is switched off").
			with("Retry-After", settings.retryAfter()))
	})
}

// retryAfter says when a client may ask again: when its next heartbeat would be due.
func (s *settings) retryAfter() string {
	return strconv.Itoa(int(math.Ceil(s.heartbeatInterval.Seconds())))
}
