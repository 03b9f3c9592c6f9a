package glob_test

import (
	"testing"

	"github.com/llama-orch/node-registration/mockserver/internal/glob"
)

// FuzzGlob has made-up patterns. A broken one fits nothing.
func FuzzGlob(f *testing.F) {
	f.Add("gpu-*", "gpu-node-1")
	f.Add("[a-", "a")
	f.Add(`\`, `\`)
	f.Fuzz(func(t *testing.T, pattern, node string) {
		if glob.Check(pattern) != nil && glob.Fits(pattern, node) {
			t.Errorf("%q fits the broken pattern %q", node, pattern)
		}
	})
}
