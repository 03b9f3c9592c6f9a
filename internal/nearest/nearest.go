// Package nearest finds the name that was probably meant.
package nearest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Name returns which of the known names was probably meant, or "" when none comes near. Upper and
// lower case count as the same. A third of the characters may differ, as after a slip of the pen or
// in another style of names. If none is so near, it is the only name that has the given one among
// its words: provider-url for url.
func Name(name string, known []string) string {
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
	if best == "" {
		return onlyWith(name, known)
	}
	return best
}

// onlyWith returns the one name that has a word among those that it consists of, or "" when there
// is none or more than one.
func onlyWith(word string, known []string) string {
	found := ""
	for _, candidate := range known {
		words := strings.FieldsFunc(strings.ToLower(candidate), func(r rune) bool { return r == '-' || r == '_' })
		if !slices.Contains(words, strings.ToLower(word)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = candidate
	}
	return found
}

// distance returns how many characters must be added, left out, replaced or swapped with their
// neighbour to make one text of another.
func distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	var beforeLast []int
	last := make([]int, len(b)+1) // the distances of the characters of a so far to each start of b
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			row[j+1] = min(last[j]+differ(a[i], b[j]), row[j]+1, last[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], beforeLast[j-1]+1)
			}
		}
		beforeLast, last = last, row
	}
	return last[len(b)]
}

func differ(a, b rune) int {
	if a == b {
		return 0
	}
	return 1
}
