//go:build pact

package libpact

/*
#cgo LDFLAGS: -lpact_ffi

#include <stdlib.h>

// What is used of the library's header, which does not come with it.
typedef struct VerifierHandle VerifierHandle;

VerifierHandle *pactffi_verifier_new_for_application(const char *name, const char *version);
void pactffi_verifier_set_provider_info(VerifierHandle *handle, const char *name, const char *scheme,
	const char *host, unsigned short port, const char *path);
int pactffi_verifier_set_verification_options(VerifierHandle *handle, unsigned char disable_ssl_verification,
	unsigned long request_timeout);
void pactffi_verifier_set_follow_redirects(VerifierHandle *handle, unsigned char follow);
int pactffi_verifier_set_coloured_output(VerifierHandle *handle, unsigned char coloured_output);
void pactffi_verifier_add_file_source(VerifierHandle *handle, const char *file);
int pactffi_verifier_execute(VerifierHandle *handle);
char *pactffi_verifier_json(const VerifierHandle *handle);
void pactffi_string_delete(char *string);
void pactffi_verifier_shutdown(VerifierHandle *handle);
*/
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"
)

// Result is the result of one interaction.
type Result struct {
	Description string
	Passed      bool
	Mismatches  []string // what is wrong, when it has not passed
}

// Verify sends the requests of a pact file to a provider, without a proxy, and compares the
// answers. It sets up no provider state. The timeout is for each request; the whole cannot be
// interrupted. The library also writes to standard output, which cannot be prevented.
//
// pact-go offers this only to callers with a *testing.T.
func Verify(file string, provider netip.AddrPort, timeout time.Duration) ([]Result, error) {
	if err := DoNotTrack(); err != nil {
		return nil, err
	}
	if err := bypassProxy(provider.Addr().String()); err != nil {
		return nil, err
	}
	name, version := C.CString("pact-verify"), C.CString("0")
	scheme, host, path := C.CString("http"), C.CString(provider.Addr().String()), C.CString(file)
	for _, text := range []*C.char{name, version, scheme, host, path} {
		defer C.free(unsafe.Pointer(text))
	}

	handle := C.pactffi_verifier_new_for_application(name, version)
	if handle == nil {
		return nil, errors.New("libpact_ffi cannot make a verifier")
	}
	defer C.pactffi_verifier_shutdown(handle)
	C.pactffi_verifier_set_provider_info(handle, name, scheme, host, C.ushort(provider.Port()), nil)
	C.pactffi_verifier_set_verification_options(handle, 0, C.ulong(timeout.Milliseconds()))
	C.pactffi_verifier_set_follow_redirects(handle, 0)
	C.pactffi_verifier_set_coloured_output(handle, 0)
	C.pactffi_verifier_add_file_source(handle, path)

	// The status is ignored, because it is ambiguous: 1 means a failed interaction or an
	// unreadable file.
	C.pactffi_verifier_execute(handle)
	account := C.pactffi_verifier_json(handle)
	if account == nil {
		return nil, errors.New("libpact_ffi gives no account of the verification")
	}
	defer C.pactffi_string_delete(account)
	return read([]byte(C.GoString(account)))
}

// mismatch is what is wrong with one interaction, or with the file.
type mismatch struct {
	Message    string // why there was no answer to compare
	Mismatches []struct {
		Path     string
		Mismatch string
	}
}

// read reads the account that the library gives of a verification.
func read(account []byte) ([]Result, error) {
	var parsed struct {
		Errors []struct {
			Mismatch mismatch
		}
		InteractionResults []struct {
			Description string
			Result      string
			Mismatch    mismatch
		}
	}
	if err := json.Unmarshal(account, &parsed); err != nil {
		return nil, fmt.Errorf("the account of libpact_ffi cannot be read: %w", err)
	}
	if len(parsed.InteractionResults) == 0 && len(parsed.Errors) > 0 {
		return nil, errors.New(parsed.Errors[0].Mismatch.Message)
	}
	var found []Result
	for _, r := range parsed.InteractionResults {
		found = append(found,
			Result{Description: r.Description, Passed: r.Result == "OK", Mismatches: r.Mismatch.lines()})
	}
	return found, nil
}

func (m mismatch) lines() []string {
	var lines []string
	if m.Message != "" {
		lines = append(lines, m.Message)
	}
	for _, each := range m.Mismatches {
		line := each.Mismatch
		if each.Path != "" {
			line = each.Path + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}
