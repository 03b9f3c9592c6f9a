package conformance

import (
	"fmt"
	"regexp"
	"strconv"
)

// escapes are characters in Go and in patterns that a number stands for. A backslash before another is none of them.
var escapes = regexp.MustCompile(`\\\\|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}`)

// legible writes characters that stand as escapes in a text as reports write such characters. A report would write
// the backslash alone as <U+005C>, and leave the rest.
func legible(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(escape string) string {
		number, err := strconv.ParseUint(escape[2:], 16, 32)
		switch {
		case err != nil:
			return escape
		case escape[1] == 'x' && number > 0x7f:
			return fmt.Sprintf("<0x%02X>", number)
		}
		return fmt.Sprintf("<U+%04X>", number)
	})
}
