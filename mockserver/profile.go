package mockserver

import (
	"math"
	"strconv"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// checkProfile refuses every request while the cloud profile is off.
func checkProfile(x *exchange) error {
	if x.settings.cloudProfile {
		return nil
	}
	return newProblem(nodeapi.ProblemCodeCloudProfileDisabled, "the cloud profile of this orchestratord is switched off").
		with("Retry-After", x.settings.retryAfter())
}

// retryAfter says when a client may ask again: when its next heartbeat would be due.
func (s *settings) retryAfter() string {
	return strconv.Itoa(int(math.Ceil(s.heartbeatInterval.Seconds())))
}
