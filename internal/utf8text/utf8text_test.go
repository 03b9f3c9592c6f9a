package utf8text_test

import (
	"testing"

	"github.com/llama-orch/node-registration/internal/utf8text"
)

func TestOf(t *testing.T) {
	for written, want := range map[string]string{
		"":                         "",
		"é":                        "é",
		"\xef\xbb\xbfé":            "é",
		"\xff\xfe\xe9\x00":         "é",
		"\xfe\xff\x00\xe9":         "é",
		"\xfe\xff\xd8\x3d\xde\x00": "😀",
		"\xff\xfea":                "",
	} {
		if have := string(utf8text.Of([]byte(written))); have != want {
			t.Errorf("%q is %q, not %q", written, have, want)
		}
	}
}
