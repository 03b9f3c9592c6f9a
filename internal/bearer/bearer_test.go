package bearer_test

import (
	"testing"

	"github.com/llama-orch/node-registration/internal/bearer"
	"github.com/llama-orch/node-registration/mockserver"
)

// TestCheck tries each byte within a token. The mock, which reads the rule from its document, takes the
// same ones.
func TestCheck(t *testing.T) {
	if err := bearer.Check(""); err != nil {
		t.Errorf("no token: %v", err)
	}
	for c := range 256 {
		token := "a" + string([]byte{byte(c)}) + "b"
		mock, mockErr := mockserver.New(mockserver.WithTokens(token))
		if mockErr == nil {
			mock.Close()
		}
		err := bearer.Check(token)
		if want := c > ' ' && c < 0x7f; (err == nil) != want || (mockErr == nil) != want {
			t.Errorf("%q: error %v, that of the mock %v, want any: %t", token, err, mockErr, !want)
		}
	}
}
