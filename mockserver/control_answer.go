package mockserver

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
)

// checkControlAnswers puts a 500 in place of the answers of next that break the document
// of the control API, and of its panics.
func (s *Server) checkControlAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := serve(next, w, r)
		x := exchangeOf(r)
		if err == nil {
			err = s.checkControlAnswer(r, x)
		}
		if err != nil {
			x.transmit = nil
			x.answer.beginAgain()
			s.writeProblem(w, r, err)
		}
	})
}

// checkControlAnswer holds an answer to the document; of a stream, which is not there
// yet, the head.
func (s *Server) checkControlAnswer(r *http.Request, x *exchange) error {
	contract, err := s.controlContract()
	if err != nil {
		return err
	}
	if x.transmit == nil {
		err := contract.checkAnswer(r, &x.answer)
		if x.settings.validation == Off || err != nil && slices.ContainsFunc(s.nodes.Nodes(), odd) {
			return nil
		}
		return err
	}
	declared := contract.declared(r).Responses.Status(x.status)
	mediaType, _, _ := mime.ParseMediaType(x.header.Get("Content-Type"))
	if declared == nil || declared.Value.Content[mediaType] == nil {
		return fmt.Errorf("answer: status %d with content type %q is not declared", x.status, mediaType)
	}
	return nil
}
