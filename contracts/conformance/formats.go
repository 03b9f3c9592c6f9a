package conformance

import (
	"errors"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// formats has texts of requests held to their format. The validator would take any text for a URI, and has no
// time of RFC 3339 in small letters.
var formats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"date-time": openapi3.NewCallbackValidator(func(text string) error {
		return openapi3.SchemaStringFormats["date-time"].Validate(strings.ToUpper(text))
	}),
	"uri": openapi3.NewCallbackValidator(func(text string) error {
		uri, err := url.Parse(text)
		if err == nil && !uri.IsAbs() {
			err = errors.New("there is no scheme")
		}
		return err
	}),
})
