//go:build pact

package libpact

import "os"

// The library reports every use of it to its makers, unless it is told not to.
func init() {
	_ = os.Setenv("PACT_DO_NOT_TRACK", "true")
}
