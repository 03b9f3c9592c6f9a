package foreign

import "unicode/utf8"

// Cut returns the first characters of a text that has more than most of them, with an ellipsis as
// the last.
func Cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
