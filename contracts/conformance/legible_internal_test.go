package conformance

import (
	"testing"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// TestLegible shows that no report changes what is legible.
func TestLegible(t *testing.T) {
	for text, want := range map[string]string{
		`^[^\x00-\x1f\x7f]+$`:          `^[^<U+0000>-<U+001F><U+007F>]+$`,
		`malformed "\x00\x9b\u202e"`:   `malformed "<U+0000><0x9B><U+202E>"`,
		`^([0-9]+(\.[0-9]+){0,3})?\d$`: `^([0-9]+(\.[0-9]+){0,3})?\d$`,
	} {
		if got := legible(text); got != want || foreign.Line(got) != got {
			t.Errorf("%s is written %s, and shown as %s", text, got, foreign.Line(got))
		}
	}
	if got := legible(`a \\x00`); got != `a \\x00` {
		t.Errorf("a backslash before x00 is written %s", got)
	}
}
