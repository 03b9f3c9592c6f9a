//go:build pact

// Package libpact shows the linker where scripts/pact-ffi.sh puts libpact_ffi.
// Packages that use pact-go import it too. They then build with the tag pact, and need
// nothing in the environment:
//
//	if err := libpact.DoNotTrack(); err != nil {
//		return err
//	}
//	// ... pact-go, or libpact.Verify
package libpact

/*
#cgo CFLAGS: -I${SRCDIR}/../../../.pact
#cgo LDFLAGS: -L${SRCDIR}/../../../.pact -Wl,-rpath,${SRCDIR}/../../../.pact

// The compiler says in one line what takes the linker a page.
#if !__has_include(<libpact_ffi.so>) && !__has_include(<libpact_ffi.dylib>)
#error "libpact_ffi is missing: run scripts/pact-ffi.sh"
#endif
*/
import "C"
