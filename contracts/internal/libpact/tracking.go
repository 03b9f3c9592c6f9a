//go:build pact

package libpact

import "os"

// DoNotTrack switches off the usage reports that the library sends to its makers by default.
// Call it before the library is used; Verify does so itself.
func DoNotTrack() error { return os.Setenv("PACT_DO_NOT_TRACK", "true") }
