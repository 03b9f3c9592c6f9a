package wire

import (
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
