//go:build pact

// Package libpact links the Pact library, libpact_ffi, from where scripts/pact-ffi.sh puts
// it, and verifies a pact with it. Packages that use pact-go import libpact too. They then
// build with the tag pact, and need nothing in the environment:
//
//	if err := libpact.DoNotTrack(); err != nil {
//		return err
//	}
//	// ... pact-go, or libpact.Verify
package libpact

/*
#cgo CFLAGS: -I${SRCDIR}/../../../.pact
#cgo LDFLAGS: -L${SRCDIR}/../../../.pact

// Without this check the linker would print a page of errors instead of one line.
#if !__has_include(<libpact_ffi.so>) && !__has_include(<libpact_ffi.dylib>) && !__has_include(<pact_ffi.dll>)
#error "libpact_ffi is missing: run scripts/pact-ffi.sh"
#endif
*/
import "C"
