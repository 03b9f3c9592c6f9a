package wire

import (
	"bytes"
	"time"
)

// scanner reads a JSON text from front to back. It takes less than JSON is: no escapes in
// strings, no fractions and exponents, and no zero with a sign, which readers of integers may
// refuse. What it does not take makes it bad for good, and what it reads from then on means nothing.
type scanner struct {
	text []byte
	at   int
	bad  bool
}

// peek returns the next byte that is no white space, and 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch b := s.text[s.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// end reports whether nothing is left.
func (s *scanner) end() bool {
	return s.peek() == 0 && s.at == len(s.text) && !s.bad
}

func (s *scanner) fail() bool {
	s.bad = true
	return false
}

// object begins an object, and reports whether there is anything in it.
func (s *scanner) object() bool { return s.begin('{', '}') }

// array begins an array, and reports whether there is anything in it.
func (s *scanner) array() bool { return s.begin('[', ']') }

func (s *scanner) begin(opening, closing byte) bool {
	if s.bad || s.peek() != opening {
		return s.fail()
	}
	s.at++
	if s.peek() == closing {
		s.at++
		return false
	}
	return true
}

// more goes on to the next member or item, if what it is in does not end here. Nothing has
// more once the text is bad.
func (s *scanner) more(closing byte) bool {
	switch next := s.peek(); {
	case s.bad || next != ',' && next != closing:
		return s.fail()
	default:
		s.at++
		return next == ','
	}
}

// name reads the name of a member up to its value.
func (s *scanner) name() []byte {
	name := s.raw()
	if s.peek() != ':' {
		s.fail()
		return nil
	}
	s.at++
	return name
}

// raw reads a string as it stands in the text. Whether that is UTF-8, the check of the value finds.
func (s *scanner) raw() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	begin := s.at + 1
	for i := begin; i < len(s.text) && s.text[i] >= ' ' && s.text[i] != '\\'; i++ {
		if s.text[i] == '"' {
			s.at = i + 1
			return s.text[begin:i]
		}
	}
	s.fail()
	return nil
}

func (s *scanner) string() string { return string(s.raw()) }

// time reads a time of at most so many characters.
func (s *scanner) time(longest int) time.Time {
	raw := s.raw()
	t, err := readTime(raw)
	if len(raw) > longest || err != nil {
		s.fail()
	}
	return t
}

func (s *scanner) int32() int32 {
	n := s.int64()
	if n != int64(int32(n)) {
		s.fail()
	}
	return int32(n)
}

// int64 reads a number of 0 or more. No field may be negative, so that a minus leaves the fast path.
func (s *scanner) int64() int64 {
	s.peek()
	begin := s.at
	var n int64
	for ; s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9'; s.at++ {
		n = 10*n + int64(s.text[s.at]-'0')
	}
	// Any number of so few digits is an int64.
	if digits := s.at - begin; digits == 0 || digits > 18 || s.text[begin] == '0' && digits > 1 {
		s.fail()
	}
	return n
}

func (s *scanner) bool() bool {
	value := s.literal("true")
	if !value && !s.literal("false") {
		s.fail()
	}
	return value
}

// null reports whether the next value is null, and reads it if it is.
func (s *scanner) null() bool { return s.literal("null") }

func (s *scanner) literal(word string) bool {
	s.peek()
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// count returns how many items there are in the array ahead, so that room is made for all of them
// at once. It fails for more than most, and is right for every array that can then be read.
func (s *scanner) count(most int) (count int) {
	if s.bad || s.peek() != '[' {
		s.fail()
		return 0
	}
	depth := 1
	for i := s.at + 1; i < len(s.text) && depth > 0 && count <= most; i++ {
		if b := s.text[i]; count == 0 && b != ']' && b > ' ' {
			count = 1
		}
		switch s.text[i] {
		case '"':
			i += 1 + bytes.IndexByte(s.text[i+1:], '"')
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 1 {
				count++
			}
		}
	}
	if count > most {
		s.fail()
	}
	return count
}

// fields is a set of fields of an object, a bit for each.
type fields uint64

// first adds a field to those that have been read, and fails for one that is there already.
func (s *scanner) first(seen *fields, field int) {
	bit := fields(1) << field
	if *seen&bit != 0 {
		s.fail()
	}
	*seen |= bit
}

// need fails unless all required fields have been read.
func (s *scanner) need(seen, required fields) {
	if seen&required != required {
		s.fail()
	}
}
