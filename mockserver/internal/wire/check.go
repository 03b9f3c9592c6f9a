package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Check returns where a value breaks the document first, and nil when it keeps it. The value
// is an answer, or an object in one.
func Check(value any) error {
	checked, ok := value.(interface{ Validate() []nodeapi.Violation })
	if !ok {
		return unknown(value)
	}
	if wrong := checked.Validate(); wrong != nil {
		return fmt.Errorf("the value breaks the document at %q: it %s", wrong[0].Pointer, wrong[0].Detail)
	}
	return nil
}

// CheckTime takes what the generated types can hold: the times of RFC 3339 without leap
// seconds.
func CheckTime(text string) error {
	_, err := readTime([]byte(text))
	return err
}

var errTime = errors.New("it is no time of RFC 3339")

// readTime reads a time of RFC 3339. The standard library alone would take hours of one digit, fractions after
// a comma, and offsets of a day or more (https://go.dev/issue/54580). It would not take the small letters of
// section 5.6.
func readTime(text []byte) (t time.Time, err error) {
	if bytes.ContainsAny(text, "tz") {
		text = bytes.ToUpper(text)
	}
	if err := t.UnmarshalText(text); err != nil {
		return t, err
	}
	offset := text[len(text)-len("07:00"):]
	switch {
	case text[len("2006-01-02T1")] == ':', text[len("2006-01-02T15:04:05")] == ',':
		return t, errTime
	case text[len(text)-1] != 'Z' && (string(offset[:2]) > "23" || string(offset[3:]) > "59"):
		return t, errTime
	}
	return t, nil
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
