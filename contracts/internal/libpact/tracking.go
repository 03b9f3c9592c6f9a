//go:build pact

package libpact

import "os"

// DoNotTrack keeps the library from reporting its uses to its makers, which it does
// unless the environment says otherwise. To be called before the library is used;
// Verify does so itself.
func DoNotTrack() error { return os.Setenv("PACT_DO_NOT_TRACK", "true") }
