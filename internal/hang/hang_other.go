//go:build !linux

package hang

import "testing"

// File skips the test: only Linux has leases.
func File(t testing.TB, _ string) {
	t.Helper()
	t.Skip("no file can be made to hang here")
}
