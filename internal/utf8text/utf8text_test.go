package utf8text_test

import (
	"strings"
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

func TestRead(t *testing.T) {
	if text, err := utf8text.Read(strings.NewReader("\xef\xbb\xbfé"), 5); err != nil || string(text) != "é" {
		t.Errorf("%q and %v of a text that is as long as it may be", text, err)
	}
	const want = "it is longer than 4 bytes"
	if text, err := utf8text.Read(strings.NewReader("\xef\xbb\xbfé"), 4); err == nil || err.Error() != want {
		t.Errorf("%q and error %v, not %q", text, err, want)
	}
}
