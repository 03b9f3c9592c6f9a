// Package masking finds credentials in headers, bodies and URLs, and overwrites them with
// asterisks wherever they turn up (CLOUD-4013). A credential is known by the name of its header
// or field, by its scheme, or by its place in a URL.
package masking

import (
	"bytes"
	"net/http"

	"github.com/llama-orch/node-registration/internal/foreign"
)

const (
	// Hidden is in place of a secret in a header.
	Hidden = "***"
	// shortest is how long a secret is at least. Nobody guards anything with less, and
	// masked wherever it occurs it would take the sense out of a journal.
	shortest = 4
	// Recognised is how many bytes of a longer secret are enough to recognise it: the rest may have been
	// cut off on the way.
	Recognised = 16
)

// MayBeIn reports whether there may be secrets in a text.
func (s Secrets) MayBeIn(text []byte) bool {
	for _, secret := range s {
		if bytes.Contains(text, beginning(secret)) {
			return true
		}
	}
	return escapes(text)
}

// escapes reports whether some of a text may be escaped.
func escapes(text []byte) bool {
	return bytes.IndexByte(text, '\\') >= 0 || bytes.IndexByte(text, '%') >= 0 || bytes.IndexByte(text, '&') >= 0
}

// beginning returns the part of a secret by which it is recognised.
func beginning(secret string) []byte {
	return []byte(secret[:min(len(secret), Recognised)])
}

// Mask overwrites secrets in a text with asterisks, however they are escaped. It reports
// whether there were any.
func (s Secrets) Mask(text []byte) bool {
	masked := false
	for _, secret := range s {
		masked = maskPlain(text, secret) || masked
		if escapes(text) {
			masked = maskEscaped(text, secret) || masked
		}
	}
	return masked
}

// maskPlain overwrites a secret where it is written as it is.
func maskPlain(text []byte, secret string) bool {
	masked := false
	start := beginning(secret)
	for {
		at := bytes.Index(text, start)
		if at < 0 {
			return masked
		}
		masked = true
		text = text[at:]
		n := 0
		for n < min(len(text), len(secret)) && text[n] == secret[n] {
			text[n] = '*'
			n++
		}
		text = text[n:] // a secret may consist of asterisks itself
	}
}

// maskEscaped overwrites a secret where some of its characters are escaped.
func maskEscaped(text []byte, secret string) bool {
	masked := false
	for len(text) > 0 {
		n := foreign.Spelled(text, secret, Recognised)
		for i := range n {
			text[i] = '*'
		}
		if masked = masked || n > 0; n == 0 { // what no secret begins with is skipped
			n = max(1, len(text)-len(bytes.TrimLeft(text, `\`)))
		}
		text = text[n:]
	}
	return masked
}

// Text returns a text that repeats some of a request, with its credentials overwritten by
// asterisks. They are those that the request's headers and query carry, and those that the
// text names as such.
func Text(text string, header http.Header, query string) string {
	secrets := make(Secrets, 0, MaxSecrets).OfHeader(header).OfQuery(query)
	if secrets.Full() {
		return Hidden
	}
	if len(secrets) == 0 && !mayName(text) {
		return text
	}
	masked := []byte(text)
	named := Fields(masked)
	if secrets.Mask(masked) || named {
		return string(masked)
	}
	return text
}
