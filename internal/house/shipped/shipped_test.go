// Package shipped tests what is shipped, as its users get it: it is installed, built and started.
package shipped

import (
	"flag"
	"os"
	"testing"
)

const (
	root   = "../../.."
	module = "github.com/llama-orch/node-registration"
)

var tryShipped = flag.Bool("shipped", false, "install, build and start what is shipped, which takes minutes")

// programs are those that need no C library, and therefore run anywhere.
var programs = []string{"mock-orchestratord", "nodesim", "nodecontract"}

// isShipped skips a test of what is shipped, unless it is asked for.
func isShipped(t *testing.T) {
	t.Helper()
	if !*tryShipped {
		t.Skip("`make shipped` installs, builds and starts what is shipped")
	}
}

// lacks skips a test where something is missing. CI has to install it, so there the test fails.
func lacks(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
