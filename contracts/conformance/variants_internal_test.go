package conformance

import (
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestFormatsWithShortLimits has a document allow only short texts of a format.
func TestFormatsWithShortLimits(t *testing.T) {
	for format, plain := range map[string]string{"uri": "http://a", "date-time": "2024-01-01T00:00:00Z"} {
		text := openapi3.NewStringSchema().WithFormat(format).WithMaxLength(int64(len(plain)))
		found := variants(openapi3.NewObjectSchema().WithProperty("at", text), map[string]any{"at": plain})
		tooLong := func(v variant) bool { return v.breaks && v.at.String() == "/at" && v.rule[:3] == "max" }
		if !slices.ContainsFunc(found, tooLong) {
			t.Errorf("no %s is tried that is too long", format)
		}
	}
}
