package mockserver

import (
	"slices"

	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// checkControlAnswer returns how the answer breaks the document of the control API. Of a
// stream, which is not there yet, it checks the head.
func (s *Server) checkControlAnswer(x *exchange) error {
	if x.transmit != nil {
		return x.operation.CheckAnswerHead(x.status, x.header)
	}
	err := spec.Control().CheckAnswer(x.operation, x.status, x.header, x.body.Bytes())
	if x.settings.validation == Off || err != nil && slices.ContainsFunc(s.cluster.Nodes(), cluster.Invalid) {
		return nil
	}
	return err
}
