package mockserver

import (
	"fmt"
	"mime"
	"slices"

	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
)

// checkControlAnswer returns how the answer breaks the document of the control API. Of a
// stream, which is not there yet, it checks the head.
func (s *Server) checkControlAnswer(x *exchange) error {
	contract, err := s.controlContract()
	if err != nil {
		return err
	}
	if x.transmit == nil {
		err := contract.checkAnswer(x.request, &x.answer)
		if x.settings.validation == Off || err != nil && slices.ContainsFunc(s.cluster.Nodes(), cluster.Invalid) {
			return nil
		}
		return err
	}
	declared := contract.declared(x.request).Responses.Status(x.status)
	mediaType, _, _ := mime.ParseMediaType(x.header.Get("Content-Type"))
	if declared == nil || declared.Value.Content[mediaType] == nil {
		return fmt.Errorf("answer: status %d with content type %q is not declared", x.status, mediaType)
	}
	return nil
}
