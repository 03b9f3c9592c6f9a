package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// expectation returns what a reader in Rust calls the values of a kind.
func expectation(schema *Schema, kind string) string {
	switch {
	case kind == openapi3.TypeInteger && schema.raw.Max != nil && *schema.raw.Max <= math.MaxUint32:
		return "u32"
	case kind == openapi3.TypeObject && schema.title != "":
		return "struct " + schema.title
	}
	return map[string]string{
		openapi3.TypeString: "a string", openapi3.TypeBoolean: "a boolean", openapi3.TypeInteger: "u64",
		openapi3.TypeNumber: "f64", openapi3.TypeArray: "a sequence", openapi3.TypeObject: "a map",
	}[kind]
}

// longestText is how many bytes a text may have that is repeated as it is.
const longestText = 1024

func shortened(text string) string {
	if len(text) <= longestText {
		return text
	}
	return foreign.Cut(foreign.Line(text), longestText) // without what the cut leaves of a password
}

func unquote(quoted []byte) (text string) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(bytes.Trim(quoted, `"`))
	}
	_ = json.Unmarshal(quoted, &text) // it has been read once
	return text
}

// inRust quotes a text as Rust does.
func inRust(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == 0:
			b.WriteString(`\0`)
		case strings.ContainsRune("\t\r\n\"\\", r):
			escaped := strconv.Quote(string(r))
			b.WriteString(escaped[1 : len(escaped)-1])
		case !strconv.IsPrint(r) || unicode.In(r, unicode.Mn, unicode.Me):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// numeral returns what a number is. One with a fraction or an exponent is not whole, whatever its
// value, and neither is one that 64 bits do not hold.
func numeral(number string) (is string, whole bool) {
	_, signed := strconv.ParseInt(number, 10, 64)
	_, unsigned := strconv.ParseUint(number, 10, 64)
	if (signed == nil || unsigned == nil) && number != "-0" {
		return fmt.Sprintf("integer `%s`", number), true
	}
	size, _ := strconv.ParseFloat(number, 64)
	text := strconv.FormatFloat(size, 'f', -1, 64)
	switch {
	case math.Abs(size) >= 1e16, size != 0 && math.Abs(size) < 1e-5:
		text = exponents.Replace(strconv.FormatFloat(size, 'e', -1, 64))
	case !strings.Contains(text, "."):
		text += ".0"
	}
	return fmt.Sprintf("floating point `%s`", text), false
}

// exponents have neither a plus nor a leading zero.
var exponents = strings.NewReplacer("e+", "e", "e-0", "e-")
