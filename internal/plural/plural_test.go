package plural_test

import (
	"testing"

	"github.com/llama-orch/node-registration/internal/plural"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 nodes", 1: "1 node", 2: "2 nodes", -1: "-1 nodes"} {
		if got := plural.Count(n, "node"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
