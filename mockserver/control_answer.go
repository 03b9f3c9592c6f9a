package mockserver

import (
	"fmt"
	"mime"
	"net/http"
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
	if x.transmit == nil && s.tellsOdd(x) {
		return nil
	}
	if x.transmit == nil {
		return contract.checkAnswer(r, &x.answer)
	}
	declared := contract.operation(r).Responses.Status(x.status)
	mediaType, _, _ := mime.ParseMediaType(x.header.Get("Content-Type"))
	if declared == nil || declared.Value.Content[mediaType] == nil {
		return fmt.Errorf("answer: status %d with content type %q is not declared", x.status, mediaType)
	}
	return nil
}
