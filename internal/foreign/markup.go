package foreign

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Markdown returns s as plain text inside Markdown, on one line: in a table cell, a
// heading, a list item or an HTML element. Nothing in it is markup.
func Markdown(s string) string {
	return markdownEscapes.Replace(Line(s))
}

var markdownEscapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "|", `\|`, "[", `\[`, "]", `\]`,
)

// Annotation returns s as the message of a GitHub workflow command, the part after its
// second ::. Line breaks survive, as GitHub's %0A.
func Annotation(s string) string {
	return annotationEscapes.Replace(Block(s))
}

var annotationEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

// Property returns s as the value of a property of a GitHub workflow command, such as
// its title.
func Property(s string) string {
	return propertyEscapes.Replace(Line(s))
}

var propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")

// JSON returns a JSON text with the same meaning that is safe to show. What is not printable or not to be
// seen beyond ASCII, and the second # of ##, become \u escapes. Credentials in URLs become ***. The rest
// of control characters valid JSON has escaped already.
func JSON(text []byte) []byte {
	var safe []byte
	hash := false
	for _, r := range hideUserinfo(string(text)) {
		if hash && r == '#' || r > '~' && (r == utf8.RuneError || !unicode.IsPrint(r) || isInvisible(r)) {
			for _, unit := range utf16.Encode([]rune{r}) {
				safe = fmt.Appendf(safe, `\u%04x`, unit)
			}
		} else {
			safe = utf8.AppendRune(safe, r)
		}
		hash = r == '#'
	}
	return safe
}
