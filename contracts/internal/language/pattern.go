package language

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
)

// Pattern is a regular expression that a text has to match.
type Pattern struct {
	expression string
	program    *syntax.Prog
}

// marks are the instructions that were visited in this turn. A new turn unmarks all of them.
type marks struct {
	turns []int // the latest turn in which each was visited
	turn  int
}

// first marks an instruction, and reports whether it was not marked.
func (m *marks) first(pc uint32) bool {
	first := m.turns[pc] != m.turn
	m.turns[pc] = m.turn
	return first
}

func (p Pattern) same(other Pattern) bool { return p.expression == other.expression }

// Anywhere returns the pattern of the texts with a part that matches an expression. JSON
// Schema uses expressions so.
func Anywhere(expression string) (Pattern, error) {
	return compile(`(?s:.*)(?:` + fromECMA(expression) + `)(?s:.*)`)
}

// Whole returns the pattern of the texts that an expression matches from start to end.
func Whole(expression string) (Pattern, error) {
	return compile(fromECMA(expression))
}

// fromECMA rewrites the escapes of JavaScript that Go does not have.
func fromECMA(expression string) string {
	return regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`).ReplaceAllString(expression, `\x{$1}`)
}

func compile(expression string) (Pattern, error) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return Pattern{}, fmt.Errorf("pattern cannot be read: %w", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return Pattern{}, fmt.Errorf("pattern cannot be compiled: %w", err)
	}
	return Pattern{expression, program}, nil
}

// state is how far a pattern has come with a text. It has the instructions that may come next,
// and the character before, which assertions such as ^ and \b look at.
type state struct {
	threads []uint32 // sorted
	before  rune     // -1 at the start
}

func (p Pattern) start() state {
	return state{[]uint32{uint32(p.program.Start)}, -1}
}

// step reads a character at the instructions of a closure.
func (p Pattern) step(reached []uint32, r rune) state {
	next := state{before: kind(r)}
	for _, pc := range reached {
		if instruction := &p.program.Inst[pc]; isRune(instruction) && instruction.MatchRune(r) {
			next.threads = append(next.threads, instruction.Out)
		}
	}
	slices.Sort(next.threads)
	next.threads = slices.Compact(next.threads)
	return next
}

// accepts reports whether the text may end here.
func (p Pattern) accepts(s state, seen *marks) bool {
	return slices.ContainsFunc(p.closure(s, -1, seen), func(pc uint32) bool {
		return p.program.Inst[pc].Op == syntax.InstMatch
	})
}

// closure returns the instructions that can be reached without reading a character,
// where the next one is r, or -1 for the end.
func (p Pattern) closure(s state, r rune, seen *marks) []uint32 {
	holds := syntax.EmptyOpContext(s.before, r)
	var found []uint32
	seen.turn++
	var visit func(pc uint32)
	visit = func(pc uint32) {
		if !seen.first(pc) {
			return
		}
		switch instruction := &p.program.Inst[pc]; instruction.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(instruction.Out)
			visit(instruction.Arg)
		case syntax.InstCapture, syntax.InstNop:
			visit(instruction.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(instruction.Arg)&^holds == 0 {
				visit(instruction.Out)
			}
		default:
			found = append(found, pc)
		}
	}
	for _, pc := range s.threads {
		visit(pc)
	}
	return found
}

func (s state) appendKey(key []byte) []byte {
	for _, pc := range s.threads {
		key = binary.BigEndian.AppendUint32(key, pc+1)
	}
	key = binary.BigEndian.AppendUint32(key, uint32(s.before)+2)
	return binary.BigEndian.AppendUint32(key, 0)
}

// kind returns a character that assertions cannot tell from r.
func kind(r rune) rune {
	switch {
	case r == '\n':
		return '\n'
	case syntax.IsWordChar(r):
		return 'a'
	}
	return ' '
}

func isRune(instruction *syntax.Inst) bool {
	switch instruction.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// alphabet returns one character of each class that the patterns tell apart, the
// plainest there is.
func alphabet(patterns []Pattern) []rune {
	starts := []rune{0, '\n', '\n' + 1, '0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1, 0xD800, 0xE000}
	for _, pattern := range patterns {
		for i := range pattern.program.Inst {
			if instruction := &pattern.program.Inst[i]; isRune(instruction) {
				starts = append(starts, borders(instruction)...)
			}
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	var runes []rune
	for i, start := range starts {
		end := rune(unicode.MaxRune)
		if i+1 < len(starts) {
			end = starts[i+1] - 1
		}
		if start <= unicode.MaxRune && start != 0xD800 && end >= start {
			runes = append(runes, plainest(start, end))
		}
	}
	slices.SortStableFunc(runes, func(a, b rune) int { return rank(a) - rank(b) })
	return runes
}

// borders returns where the ranges of an instruction begin and end.
func borders(instruction *syntax.Inst) []rune {
	var found []rune
	single := len(instruction.Rune) == 1
	for i, r := range instruction.Rune {
		if single || i%2 == 0 {
			found = append(found, r)
		}
		if single || i%2 == 1 {
			found = append(found, r+1)
		}
	}
	if single && syntax.Flags(instruction.Arg)&syntax.FoldCase != 0 {
		for r := unicode.SimpleFold(instruction.Rune[0]); r != instruction.Rune[0]; r = unicode.SimpleFold(r) {
			found = append(found, r, r+1)
		}
	}
	return found
}

func plainest(from, to rune) rune {
	for _, r := range []rune{'a', 'x', '0', '1', 'A', 'X', '-', ' ', 'é'} {
		if from <= r && r <= to {
			return r
		}
	}
	return from
}

// rank orders characters by how well they read in an example.
func rank(r rune) int {
	switch {
	case 'a' <= r && r <= 'z':
		return 0
	case '0' <= r && r <= '9':
		return 1
	case '!' <= r && r <= '~':
		return 2
	case unicode.IsPrint(r):
		return 3
	}
	return 4
}
