//go:build pact

// Package libpact tells the linker where scripts/pact-ffi.sh puts libpact_ffi.
// Whatever uses pact-go imports it too, and then builds with the tag pact alone,
// with nothing in the environment:
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
