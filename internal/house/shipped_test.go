package house

import (
	"flag"
	"testing"
)

var tryShipped = flag.Bool("shipped", false, "install, build and start what is shipped, which takes minutes")

// isShipped skips a test of what is shipped, unless it is asked for.
func isShipped(t *testing.T) {
	t.Helper()
	if !*tryShipped {
		t.Skip("`make shipped` installs, builds and starts what is shipped")
	}
}
