package conformance_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/mockserver"
)

// TestLenientDecoderIsFound has a decoder that reads U+FFFD for each byte that is not UTF-8.
func TestLenientDecoderIsFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t, mockserver.WithTokens(token))
		lenient := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			body = bytes.ToValidUTF8(body, []byte("\ufffd"))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			mock.ServeHTTP(w, r)
		})
		o := conformance.Options{Token: token, Level: conformance.Document, Only: []string{"negative"}}
		departs(t, lenient, o,
			"registerNode: status with a body that is not UTF-8: expected 400, or another refusal, got 200")
	})
}
