package nodeapi

import (
	"fmt"
	"slices"
	"strconv"
)

// violations collects the places where a value breaks the contract. The generated Validate
// methods are made of the checks below, which allocate nothing unless they find one.
type violations []Violation

func (found *violations) add(at, format string, args ...any) {
	*found = append(*found, Violation{Pointer: at, Detail: fmt.Sprintf(format, args...)})
}

func (found *violations) present(at string, is bool) {
	if !is {
		found.add(at, "is missing")
	}
}

func (found *violations) text(at, value string, rule *textRule) {
	if breach := rule.breach(value); breach != "" {
		found.add(at, "%s", breach)
	}
}

func (found *violations) texts(at string, values []string, rule *textRule) {
	for i, value := range values {
		if breach := rule.breach(value); breach != "" {
			found.add(at+"/"+strconv.Itoa(i), "%s", breach)
		}
	}
}

func (found *violations) enum(at, value string, valid bool) {
	if !valid {
		found.add(at, "is %s, which is none of the values that the contract lists", excerpt(value))
	}
}

func (found *violations) integer(at string, value, least, most int64) {
	if value < least || value > most {
		found.add(at, "is %d, which is not within %d to %d", value, least, most)
	}
}

func (found *violations) items(at string, count, least, most int) {
	if count < least || count > most {
		found.add(at, "has %d items, which is not within %d to %d", count, least, most)
	}
}

func (found *violations) unique(at string, values []string) {
	if twin, ok := duplicate(values); ok {
		found.add(at, "has %s twice", excerpt(twin))
	}
}

// within adds what is wrong with the value of a field, or of an item.
func (found *violations) within(at string, wrong []Violation) {
	for _, v := range wrong {
		*found = append(*found, Violation{Pointer: at + v.Pointer, Detail: v.Detail})
	}
}

// duplicate returns the first text that has been there before. Few texts are compared in
// pairs, which needs no memory.
func duplicate(texts []string) (string, bool) {
	const few = 16
	if len(texts) <= few {
		for i, text := range texts {
			if slices.Contains(texts[:i], text) {
				return text, true
			}
		}
		return "", false
	}
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		if seen[text] {
			return text, true
		}
		seen[text] = true
	}
	return "", false
}
