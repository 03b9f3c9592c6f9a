package nodeapi

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// violations collects the places where a request breaks the contract. The
// generated Validate methods are made of the checks below.
type violations []Violation

func (found *violations) add(at, format string, args ...any) {
	*found = append(*found, Violation{Pointer: at, Detail: fmt.Sprintf(format, args...)})
}

func (found *violations) present(at string, is bool) {
	if !is {
		found.add(at, "is missing")
	}
}

func (found *violations) text(at, value string, shortest, longest int, pattern func() *regexp.Regexp) {
	switch length := utf8.RuneCountInString(value); {
	case !utf8.ValidString(value):
		found.add(at, "is %s, which is not UTF-8", excerpt(value))
	case length == 0 && shortest > 0:
		found.add(at, "is empty")
	case length < shortest:
		found.add(at, "is %s, which is shorter than %d characters", excerpt(value), shortest)
	case length > longest:
		found.add(at, "is %s, which is longer than %d characters", excerpt(value), longest)
	case pattern != nil && !pattern().MatchString(value):
		found.add(at, "is %s, which does not match %s", excerpt(value), pattern())
	}
}

// uri is text, and more if there is nothing wrong with that.
func (found *violations) uri(at, value string, shortest, longest int, pattern func() *regexp.Regexp) {
	before := len(*found)
	found.text(at, value, shortest, longest, pattern)
	if len(*found) > before {
		return
	}
	uri, err := url.Parse(value)
	switch wrong := (*url.Error)(nil); {
	case errors.As(err, &wrong) && strings.Contains(value, "@"): // the reason may repeat a password
		found.add(at, "is %s, which is no URI", excerpt(value))
	case errors.As(err, &wrong):
		found.add(at, "is %s, which is no URI: %v", excerpt(value), wrong.Err)
	case !uri.IsAbs():
		found.add(at, "is %s, which is no URI: there is no scheme", excerpt(value))
	}
}

func (found *violations) integer(at string, value, least, most int64) {
	if value < least || value > most {
		found.add(at, "is %d, which is not within %d to %d", value, least, most)
	}
}

func (found *violations) items(at string, count, least, most int) {
	if count < least || count > most {
		found.add(at, "has %d items, which is not within %d to %d", count, least, most)
	}
}

func (found *violations) unique(at string, values []string) {
	seen := make(map[string]bool, len(values))
	for _, value := range values {
		if seen[value] {
			found.add(at, "has %s twice", excerpt(value))
			return
		}
		seen[value] = true
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
