package spec

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns which of the known names was probably meant, or "" when none comes
// near. Upper and lower case count as the same, and so much may differ as a slip of the
// pen or another style of names makes: a third of the characters.
func Nearest(name string, known []string) string {
	best, least := "", len(name)
	for _, candidate := range known {
		near := max(1, len(candidate)/3)
		// A name that is much longer need not be looked at, however long it is.
		if utf8.RuneCountInString(name) > len(candidate)+near {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d <= near && d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance returns how many characters must be added, left out or replaced to make one
// text of another.
func distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	row := make([]int, len(b)+1) // the distances of the characters of a so far to each start of b
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
