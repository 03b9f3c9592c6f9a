package nodeapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"
)

// textRule is what the contract says of a string.
type textRule struct {
	minLength, maxLength int    // in characters
	pattern              string // a regular expression, "" if any characters will do
	uri                  bool   // whether it must be a URI; its pattern asks for the scheme

	compile sync.Once
	matches func(text string) bool // set by compile
}

// breach says in what way a text breaks the rule. It returns "" for one that keeps it.
func (r *textRule) breach(text string) string {
	r.compile.Do(func() { r.matches = matcher(r.pattern) })
	switch length := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return fmt.Sprintf("is %s, which is not UTF-8", excerpt(text))
	case length == 0 && r.minLength > 0:
		return "is empty"
	case length > r.maxLength:
		return fmt.Sprintf("is %s, which is longer than %d characters", excerpt(text), r.maxLength)
	case !r.matches(text):
		return fmt.Sprintf("is %s, which %s", excerpt(text), r.mismatch(text))
	case length < r.minLength:
		return fmt.Sprintf("is %s, which is shorter than %d characters", excerpt(text), r.minLength)
	case r.uri:
		return uriBreach(text)
	}
	return ""
}

// mismatch says in what way a text breaks the pattern, which is hard to read where only a scheme
// is missing.
func (r *textRule) mismatch(text string) string {
	const room = 80
	whole := "http://" + text
	switch {
	case strings.Contains(text, "://") || strings.HasPrefix(text, "http") || !r.matches(whole):
		return "does not match " + r.pattern
	case len(text) > room || strings.Contains(text, "@"): // where a password may be
		return "lacks its scheme, http:// or https://"
	}
	return "lacks its scheme, as in " + whole
}

func uriBreach(text string) string {
	_, err := url.Parse(text)
	switch {
	case err == nil:
		return ""
	case strings.Contains(text, "@"): // the reason may repeat a password
		return fmt.Sprintf("is %s, which is no URI", excerpt(text))
	default: // the error quotes the text before it says why
		return fmt.Sprintf("is %s, which is no URI: %v", excerpt(text), errors.Unwrap(err))
	}
}

// excerpt quotes as much of a value as a message has room for. What comes before an @ may be
// a name and a password.
func excerpt(value string) string {
	if at := strings.LastIndexByte(value, '@'); at >= 0 {
		value = "***" + value[at:]
	}
	const room = 80
	if len(value) <= room {
		return fmt.Sprintf("%q", value)
	}
	return fmt.Sprintf("%q…", strings.ToValidUTF8(value[:room], ""))
}
