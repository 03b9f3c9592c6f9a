// Package language compares sets of texts, each given by regular expressions and bounds of
// length. It decides whether one set contains the other. If not, it returns a shortest text
// that is missing.
package language

import (
	"math"
	"slices"
)

// Language is a set of texts: those that match all patterns, and whose length in
// characters is within the bounds.
type Language struct {
	Patterns []Pattern
	Min      uint64
	Max      *uint64 // nil for no bound
}

// Relation is what Compare found.
type Relation int

const (
	// Included means that every text of the inner language is in the outer one.
	Included Relation = iota
	// Exceeds means that the returned text is in the inner language only.
	Exceeds
	// Undecided means that the languages are too large to compare.
	Undecided
)

// These bound the memory and the time that a comparison takes.
const (
	maxStates = 30_000
	maxWork   = 5_000_000 // instructions of the patterns
)

// Compare returns whether every text of inner is in outer. If not, it returns a shortest
// text that is not.
func Compare(inner, outer Language) (Relation, string) {
	// Most languages that are compared are the same, or nearly: what both require needs no search.
	outer.Patterns = slices.DeleteFunc(slices.Clone(outer.Patterns), func(p Pattern) bool {
		return slices.ContainsFunc(inner.Patterns, p.same)
	})
	if len(outer.Patterns) == 0 && inner.within(outer) {
		return Included, ""
	}
	s := newSearch(inner, outer)
	for i := 0; i < len(s.queue); i++ {
		at := s.queue[i]
		if s.inner.allows(at.inner, at.length, &s.marks) && !s.outer.allows(at.outer, at.length, &s.marks) {
			return Exceeds, s.text(i)
		}
		if len(s.queue) > maxStates || s.work > maxWork {
			return Undecided, ""
		}
		s.extend(i)
	}
	return Included, ""
}

// within reports whether the bounds of a language are within those of another.
func (l Language) within(outer Language) bool {
	return l.Min >= outer.Min && (outer.Max == nil || l.Max != nil && *l.Max <= *outer.Max)
}

// search is a breadth-first search through the texts of inner, character by character. Its
// classes hold the texts that both languages treat alike from there on.
type search struct {
	inner, outer side
	runes        []rune
	most         uint64 // the length from which on all lengths are alike
	queue        []class
	seen         map[string]bool
	marks        marks
	work         int // the instructions that were looked at
}

type class struct {
	inner, outer []state
	length       uint64
	from         int // index in the queue, -1 for the empty text
	by           rune
}

func newSearch(inner, outer Language) *search {
	s := &search{inner: side{inner}, outer: side{outer}, seen: map[string]bool{}}
	patterns := slices.Concat(inner.Patterns, outer.Patterns)
	s.runes = alphabet(patterns)
	for _, pattern := range patterns {
		s.marks.turns = make([]int, max(len(s.marks.turns), len(pattern.program.Inst)))
	}
	for _, language := range []Language{inner, outer} {
		s.most = max(s.most, language.Min)
		if language.Max != nil && *language.Max < math.MaxUint64 {
			s.most = max(s.most, *language.Max+1)
		}
	}
	s.add(class{inner: s.inner.start(), outer: s.outer.start(), from: -1})
	return s
}

func (s *search) add(c class) {
	key := c.key()
	if !s.seen[key] {
		s.seen[key] = true
		s.queue = append(s.queue, c)
	}
}

func (c class) key() string {
	key := make([]byte, 0, 64)
	for _, state := range slices.Concat(c.inner, c.outer) {
		key = state.appendKey(key)
	}
	for length := c.length; length > 0; length >>= 8 {
		key = append(key, byte(length))
	}
	return string(key)
}

// extend adds the classes one character further.
func (s *search) extend(from int) {
	at := s.queue[from]
	length := min(at.length+1, s.most)
	if most := s.inner.language.Max; most != nil && at.length+1 > *most {
		return
	}
	for _, r := range s.runes {
		inner, alive := s.step(s.inner, at.inner, r)
		if !alive {
			continue
		}
		outer, _ := s.step(s.outer, at.outer, r)
		s.add(class{inner, outer, length, from, r})
	}
}

// text returns the text that leads to a class.
func (s *search) text(at int) string {
	var runes []rune
	for ; s.queue[at].from >= 0; at = s.queue[at].from {
		runes = append(runes, s.queue[at].by)
	}
	slices.Reverse(runes)
	return string(runes)
}

// side is one of the two languages in a search.
type side struct{ language Language }

func (s side) start() []state {
	states := make([]state, len(s.language.Patterns))
	for i, pattern := range s.language.Patterns {
		states[i] = pattern.start()
	}
	return states
}

// step reads a character, and reports whether the result can still become a text of the
// language.
func (s *search) step(of side, states []state, r rune) ([]state, bool) {
	next := make([]state, len(states))
	alive := true
	for i, pattern := range of.language.Patterns {
		reached := pattern.closure(states[i], r, &s.marks)
		s.work += len(reached) + len(states[i].threads)
		next[i] = pattern.step(reached, r)
		alive = alive && len(next[i].threads) > 0
	}
	return next, alive
}

func (s side) allows(states []state, length uint64, seen *marks) bool {
	if length < s.language.Min || s.language.Max != nil && length > *s.language.Max {
		return false
	}
	for i, pattern := range s.language.Patterns {
		if !pattern.accepts(states[i], seen) {
			return false
		}
	}
	return true
}
