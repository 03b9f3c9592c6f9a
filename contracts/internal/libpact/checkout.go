//go:build pact && !dist

package libpact

// The programs of a checkout find the library where it is linked from. With the tag dist, those
// of a release name no directory of the machine that built them.

// #cgo LDFLAGS: -Wl,-rpath,${SRCDIR}/../../../.pact
import "C"
