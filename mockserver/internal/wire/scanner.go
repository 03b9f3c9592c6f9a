package wire

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// scanner reads a JSON text from front to back. It takes less than JSON is: no escapes in
// strings, and no fractions and exponents. What it does not take makes it bad for good.
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
	if s.peek() != opening {
		return s.fail()
	}
	s.at++
	if s.peek() == closing {
		s.at++
		return false
	}
	return true
}

// more goes on to the next member or item, if what it is in does not end here.
func (s *scanner) more(closing byte) bool {
	switch s.peek() {
	case ',':
		s.at++
		return true
	case closing:
		s.at++
		return false
	}
	return s.fail()
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

// raw reads a string as it stands in the text.
func (s *scanner) raw() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	wide := false
	begin := s.at + 1
	for i := begin; i < len(s.text); i++ {
		switch b := s.text[i]; {
		case b == '"':
			s.at = i + 1
			if raw := s.text[begin:i]; !wide || utf8.Valid(raw) {
				return raw
			}
			s.fail()
			return nil
		case b < ' ' || b == '\\':
			s.fail()
			return nil
		case b >= utf8.RuneSelf:
			wide = true
		}
	}
	s.fail()
	return nil
}

// string reads a string that fits.
func (s *scanner) string(fits func(string) bool) (string, bool) {
	raw := s.raw()
	if s.bad {
		return "", false
	}
	text := string(raw)
	return text, fits(text)
}

// time reads a time of at most so many characters.
func (s *scanner) time(longest int) (time.Time, bool) {
	raw := s.raw()
	var t time.Time
	if s.bad || len(raw) > longest {
		return t, false
	}
	return t, t.UnmarshalText(raw) == nil
}

// integer reads an integer that is within bounds.
func (s *scanner) integer(least, most int64) (int64, bool) {
	negative := s.peek() == '-'
	if negative {
		s.at++
	}
	begin := s.at
	var n int64
	for ; s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9'; s.at++ {
		n = 10*n + int64(s.text[s.at]-'0')
	}
	// Any number of so few digits is an int64.
	if digits := s.at - begin; digits == 0 || digits > 18 || digits > 1 && s.text[begin] == '0' {
		return 0, s.fail()
	}
	if negative {
		n = -n
	}
	return n, least <= n && n <= most
}

func (s *scanner) boolean() (value, ok bool) {
	switch {
	case s.literal("true"):
		return true, true
	case s.literal("false"):
		return false, true
	}
	return false, s.fail()
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

// count returns how many items there are in the array ahead, if that is within bounds. It
// is right for every array that can then be read.
func (s *scanner) count(least, most int) (count int, ok bool) {
	if s.peek() != '[' {
		return 0, s.fail()
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
	return count, least <= count && count <= most
}

// fields is the set of fields of an object that have been read.
type fields uint64

// first reports whether a field has not been read before.
func (f *fields) first(field int) bool {
	bit := fields(1) << field
	if *f&bit != 0 {
		return false
	}
	*f |= bit
	return true
}

func (f fields) all(required fields) bool { return f&required == required }
