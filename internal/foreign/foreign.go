// Package foreign makes text from outside safe to show. A path, a header, the name of a pact
// or the body of an answer may hold escapes that steer a terminal. It may hold marks that
// reverse the reading order, or lines that a CI runner obeys.
//
// What is unsafe is shown, never dropped: a character as <U+001B>, a byte that is not
// UTF-8 as <0x9B>. Only credentials in a URL are hidden (CLOUD-4013): http://***@host.
// Clean text stays as it is. Cleaning twice changes nothing more.
package foreign

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as text for one line of a terminal, a log or a CI log. It shows
// these as <U+…> or <0x…>:
//
//   - all that is not printable: control characters, line breaks, bidi marks, spaces
//     other than the plain one, bytes that are not UTF-8;
//   - what is printable and not to be seen: variation selectors, fillers, the empty Braille cell;
//   - the backslash of a spelled-out escape, such as \x1b, \033, \e or \u001b,
//     which tools along the way turn into the real one. In \d, C:\Users or \8 it stays;
//   - the start of a CI command: the first colon of a line that begins with ::, blanks
//     aside, and the second # of ##[ or ##vso[ anywhere.
//
// It replaces the credentials in a URL by ***, also those with such characters in between:
// browsers drop a line break inside a URL. Line allocates only if it changes something.
func Line(s string) string {
	return hideUserinfo(escapeUnsafe(s))
}

// escapeUnsafe writes what is unsafe in a line as <U+…> or <0x…>.
func escapeUnsafe(s string) string {
	var safe strings.Builder
	indent := len(s) - len(strings.TrimLeft(s, " "))
	shown := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next := i + size
		startsCommand := i == indent && strings.HasPrefix(s[i:], "::")
		if startsCommand || !isSafe(r, s[:i], s[next:]) {
			safe.WriteString(s[shown:i])
			safe.WriteString(escape(r, s[i:next]))
			shown = next
		}
		i = next
	}
	if shown == 0 {
		return s
	}
	safe.WriteString(s[shown:])
	return safe.String()
}

// escape writes a character as <U+…>, and a byte that is not UTF-8 as <0x…>.
func escape(r rune, raw string) string {
	if r == utf8.RuneError && len(raw) == 1 {
		return fmt.Sprintf("<0x%02X>", raw)
	}
	return fmt.Sprintf("<U+%04X>", r)
}

// isSafe reports whether r may be shown as it is between the text before and after it.
// U+FFFD may not: readers take it for a byte that is not UTF-8, and some stop there.
func isSafe(r rune, before, after string) bool {
	switch r {
	case '\\':
		return !spellsEscape(after)
	case '#':
		return !strings.HasSuffix(before, "#") || !opensCommand(after)
	}
	return r != utf8.RuneError && unicode.IsPrint(r) && (r < 0x80 || !isInvisible(r))
}

// isInvisible reports whether a printable character leaves no trace. Text may hide in such.
func isInvisible(r rune) bool {
	const emptyBraille = '\u2800'
	return r == emptyBraille || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// spellsEscape reports whether the text after a backslash makes it the escape of a character
// by number or by name. C, shells, JSON, Go, Perl and Python have such escapes. What follows x and its like may
// still come where the text ends.
func spellsEscape(after string) bool {
	if after == "" {
		return false
	}
	follows := func(with string) bool { return len(after) == 1 || strings.IndexByte(with, after[1]) >= 0 }
	switch after[0] {
	case 'e', 'E', 'c', '0', '1', '2', '3', '4', '5', '6', '7':
		return true
	case 'x', 'X', 'u', 'U':
		return follows("0123456789abcdefABCDEF{")
	case 'N':
		return follows("{")
	}
	return false
}

// opensCommand reports whether the text after ## makes it a command of a CI runner:
// GitHub's ##[error], Azure's ##vso[…], TeamCity's ##teamcity[…].
func opensCommand(after string) bool {
	return strings.HasPrefix(strings.TrimLeftFunc(after, unicode.IsLetter), "[")
}

// Block returns s as text for some lines: line breaks stay, CR LF as LF, and each line
// is safe as by [Line].
func Block(s string) string {
	if !strings.Contains(s, "\n") {
		return Line(s)
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = Line(line)
	}
	return strings.Join(lines, "\n")
}
