// Package masking finds credentials in headers, bodies and URLs, and overwrites them with
// asterisks wherever they turn up (CLOUD-4013). A credential is known by the name of its header
// or field, by its scheme, or by its place in a URL.
package masking

import (
	"bytes"
	"encoding/hex"
	"net/http"
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
	// maxBackslashes is how many backslashes may escape one character: enough for text
	// that was put into JSON three times.
	maxBackslashes = 7
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
	return bytes.IndexByte(text, '\\') >= 0 || bytes.IndexByte(text, '%') >= 0
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
		n := spelled(text, secret)
		for i := range n {
			text[i] = '*'
		}
		masked = masked || n > 0
		text = text[max(n, 1):]
	}
	return masked
}

// spelled returns how many bytes at the beginning of a text spell a secret, or as much
// of its beginning as is recognised; 0 if none do. Characters may be escaped as in JSON
// or a URL, and quotes and backslashes more than once.
func spelled(text []byte, secret string) int {
	at, matched, backslashes := 0, 0, 0
	for at < len(text) && matched < len(secret) {
		c, size := unescaped(text[at:])
		if c != secret[matched] {
			c, size = text[at], 1
		}
		if c == secret[matched] {
			matched, backslashes = matched+1, 0
		} else if backslashes++; c != '\\' || backslashes > maxBackslashes {
			break
		}
		at += size
	}
	if matched < min(len(secret), Recognised) {
		return 0
	}
	return at
}

// unescaped returns the character at the beginning of a text that is %XX or \u00XX, and
// how long that is.
func unescaped(text []byte) (byte, int) {
	digits, ok := bytes.CutPrefix(text, []byte("%"))
	if !ok {
		if digits, ok = bytes.CutPrefix(text, []byte(`\u00`)); !ok {
			return text[0], 1
		}
	}
	var c [1]byte
	if len(digits) < 2 {
		return text[0], 1
	}
	if _, err := hex.Decode(c[:], digits[:2]); err != nil {
		return text[0], 1
	}
	return c[0], len(text) - len(digits) + 2
}

// Text returns a text that repeats some of a request, with the credentials that the
// request's headers and query carry, and those that the text names as such, overwritten by
// asterisks.
func Text(text string, header http.Header, query string) string {
	secrets := make(Secrets, 0, MaxSecrets).OfHeader(header).OfQuery(query)
	if secrets.Full() {
		return Hidden
	}
	masked := []byte(text)
	named := Fields(masked)
	if secrets.Mask(masked) || named {
		return string(masked)
	}
	return text
}
