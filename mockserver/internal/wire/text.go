package wire

import (
	"errors"
	"net/url"
	"time"
	"unicode/utf8"
)

// class is a set of characters: those of ASCII by a bit each, and all others or none.
type class struct {
	low, high uint64
	wide      bool
}

// all reports whether a text consists of characters of the class.
func (c class) all(text string) bool {
	for i := range len(text) {
		switch b := text[i]; {
		case b < 64:
			if c.low>>b&1 == 0 {
				return false
			}
		case b < utf8.RuneSelf:
			if c.high>>(b-64)&1 == 0 {
				return false
			}
		case !c.wide:
			return false
		}
	}
	return true
}

// some is all, and reports false for no text.
func (c class) some(text string) bool { return text != "" && c.all(text) }

// starts reports whether the first byte of a text is of the class.
func (c class) starts(text string) bool { return text != "" && c.all(text[:1]) }

// length reports whether the number of characters of a text is within bounds.
func length(text string, least, most int) bool {
	if len(text) <= most && len(text) >= least*utf8.UTFMax {
		return true
	}
	n := utf8.RuneCountInString(text)
	return least <= n && n <= most
}

// unique reports whether no two texts are the same.
func unique(texts []string) bool {
	if len(texts) <= 16 {
		for i, text := range texts {
			for _, other := range texts[:i] {
				if text == other {
					return false
				}
			}
		}
		return true
	}
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		seen[text] = true
	}
	return len(seen) == len(texts)
}

// CheckTime takes what the generated types can hold: the times of RFC 3339 without leap
// seconds.
func CheckTime(text string) error {
	return new(time.Time).UnmarshalText([]byte(text))
}

// CheckURI takes absolute URIs.
func CheckURI(text string) error {
	uri, err := url.Parse(text)
	if err == nil && !uri.IsAbs() {
		err = errors.New("there is no scheme")
	}
	return err
}

// CheckURIReference takes absolute URIs and relative ones.
func CheckURIReference(text string) error {
	_, err := url.Parse(text)
	return err
}
