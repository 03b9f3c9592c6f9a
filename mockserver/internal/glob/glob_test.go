package glob_test

import (
	"testing"

	"github.com/llama-orch/node-registration/mockserver/internal/glob"
)

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, node string
		whole, fits   bool
	}{
		{"gpu-node-1", "gpu-node-1", true, true},
		{"gpu-node-*", "gpu-node-1", true, true},
		{"gpu-node-?", "gpu-node-10", true, false},
		{"gpu-node-[1-3]", "gpu-node-2", true, true},
		{"gpu-node-[1-3]", "gpu-node-4", true, false},
		{`gpu-node-\*`, "gpu-node-1", true, false},
		{"gpu-node-[1-3", "gpu-node-2", false, false},
		{"gpu-node-[]", "gpu-node-2", false, false},
		{`gpu-node-\`, `gpu-node-\`, false, false},
	} {
		if err := glob.Check(test.pattern); (err == nil) != test.whole {
			t.Errorf("%q: %v", test.pattern, err)
		}
		if fits := glob.Fits(test.pattern, test.node); fits != test.fits {
			t.Errorf("%q fits %q: %t", test.pattern, test.node, fits)
		}
	}
}
