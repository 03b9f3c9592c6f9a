package spec

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads a text as serde_json does, the JSON library of the orchestratord in service. It
// stops at the same byte, and says why in the same words.
type scanner struct {
	text []byte
	at   int
	path []step // to the value that is read
}

// step leads to a field of an object, or to an item of an array.
type step struct {
	name  string
	index int // of an item, or aField
}

const aField = -1

const (
	endOfValue  = "EOF while parsing a value"
	endOfString = "EOF while parsing a string"
	noNumber    = "invalid number"
	loneHalf    = "lone leading surrogate in hex escape"
)

// bracket is what opens an array or an object.
type bracket byte

func (b bracket) close() byte { return byte(b) + 2 }

func (b bracket) end() string {
	if b == '[' {
		return "EOF while parsing a list"
	}
	return "EOF while parsing an object"
}

// here returns what is wrong with the bytes so far.
func (s *scanner) here(reason string) *Mismatch {
	m := &Mismatch{Reason: reason, Syntax: true, offset: s.at}
	for _, step := range s.path {
		m.follow(step)
	}
	return m
}

// ahead returns what is wrong with the next byte, or with the end if there is none.
func (s *scanner) ahead(end, reason string) *Mismatch {
	if s.ended() {
		return s.here(end)
	}
	wrong := s.here(reason)
	wrong.offset++
	return wrong
}

func (s *scanner) ended() bool { return s.at == len(s.text) }

// peek returns the next byte, and 0 at the end.
func (s *scanner) peek() byte {
	if s.ended() {
		return 0
	}
	return s.text[s.at]
}

// space passes white space, and returns the byte after it.
func (s *scanner) space() byte {
	for strings.IndexByte(" \n\t\r", s.peek()) >= 0 {
		s.at++
	}
	return s.peek()
}

// rest reads the rest of a word, such as true.
func (s *scanner) rest(word, end, other string) *Mismatch {
	for i := range len(word) {
		if s.ended() {
			return s.here(end)
		}
		if s.at++; s.text[s.at-1] != word[i] {
			return s.here(other)
		}
	}
	return nil
}

// number reads a number. One that is ignored may be of any size.
func (s *scanner) number(ignored bool) (string, *Mismatch) {
	begin, end := s.at, endOfValue
	if ignored {
		end = noNumber
	}
	if s.peek() == '-' {
		s.at++
	}
	leading := s.peek()
	if wrong := s.digit(end); wrong != nil {
		return "", wrong
	}
	if leading != '0' {
		s.digits()
	} else if isDigit(s.peek()) {
		return "", s.ahead("", noNumber)
	}
	if s.peek() == '.' {
		if s.at++; s.digits() == 0 {
			return "", s.ahead(end, noNumber)
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c = s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if wrong := s.digit(end); wrong != nil {
			return "", wrong
		}
		s.digits()
	}
	text := string(s.text[begin:s.at])
	if size, _ := strconv.ParseFloat(text, 64); math.IsInf(size, 0) && !ignored {
		return "", s.here("number out of range")
	}
	return text, nil
}

func (s *scanner) digit(end string) *Mismatch {
	if s.ended() {
		return s.here(end)
	}
	if s.at++; !isDigit(s.text[s.at-1]) {
		return s.here(noNumber)
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) digits() (count int) {
	for isDigit(s.peek()) {
		s.at++
		count++
	}
	return count
}

// quoted reads a string from its opening quote on, and returns it with both quotes. One that is
// ignored may have any bytes, and half a surrogate pair.
func (s *scanner) quoted(ignored bool) ([]byte, *Mismatch) {
	begin := s.at
	for s.at++; !s.ended(); {
		c := s.text[s.at]
		if c < ' ' && ignored { // it is looked at, and left
			s.at--
		}
		switch s.at++; {
		case c == '"' && !ignored && !utf8.Valid(s.text[begin:s.at]):
			return nil, s.here("invalid unicode code point")
		case c == '"':
			return s.text[begin:s.at], nil
		case c < ' ':
			return nil, s.here(`control character (\u0000-\u001F) found while parsing a string`)
		case c == '\\':
			if wrong := s.escape(ignored); wrong != nil {
				return nil, wrong
			}
		}
	}
	return nil, s.here(endOfString)
}

func (s *scanner) escape(ignored bool) *Mismatch {
	if s.ended() {
		return s.here(endOfString)
	}
	s.at++
	if c := s.text[s.at-1]; c != 'u' && strings.IndexByte(`"\/bfnrt`, c) < 0 {
		return s.here("invalid escape")
	} else if c != 'u' {
		return nil
	}
	half, wrong := s.hex()
	switch {
	case wrong != nil || ignored || !utf16.IsSurrogate(half):
		return wrong
	case half >= 0xDC00:
		return s.here(loneHalf)
	}
	if wrong = s.rest(`\u`, endOfString, "unexpected end of hex escape"); wrong != nil {
		return wrong
	}
	if half, wrong = s.hex(); wrong == nil && (half < 0xDC00 || half > 0xDFFF) {
		return s.here(loneHalf)
	}
	return wrong
}

func (s *scanner) hex() (rune, *Mismatch) {
	if s.at+4 > len(s.text) {
		s.at = len(s.text)
		return 0, s.here(endOfString)
	}
	s.at += 4
	value, err := strconv.ParseUint(string(s.text[s.at-4:s.at]), 16, 16)
	if err != nil {
		return 0, s.here("invalid escape")
	}
	return rune(value), nil
}

// ignore reads a value that is thrown away, however deep.
func (s *scanner) ignore() *Mismatch {
	var open []bracket
	for {
		complete := true
		if c := s.space(); c == '[' || c == '{' {
			s.at++
			open, complete = append(open, bracket(c)), false
		} else if wrong := s.ignorePlain(c); wrong != nil {
			return wrong
		}
		for len(open) > 0 && s.space() == open[len(open)-1].close() {
			s.at++
			open, complete = open[:len(open)-1], true
		}
		if len(open) == 0 {
			return nil
		}
		if wrong := s.ignoreToNext(open[len(open)-1], complete); wrong != nil {
			return wrong
		}
	}
}

func (s *scanner) ignorePlain(c byte) *Mismatch {
	switch {
	case c == '"':
		_, wrong := s.quoted(true)
		return wrong
	case c == '-' || isDigit(c):
		_, wrong := s.number(true)
		return wrong
	}
	return s.word(c)
}

// word reads true, false or null.
func (s *scanner) word(c byte) *Mismatch {
	for _, word := range []string{"true", "false", "null"} {
		if c == word[0] {
			return s.rest(word, endOfValue, "expected ident")
		}
	}
	return s.ahead(endOfValue, "expected value")
}

// ignoreToNext reads what is before the next value in an array or object.
func (s *scanner) ignoreToNext(in bracket, complete bool) *Mismatch {
	if complete {
		if s.space() != ',' {
			return s.ahead(in.end(), "expected `,` or `"+string(in.close())+"`")
		}
		s.at++
	}
	if in == '[' {
		if !complete && s.ended() {
			return s.here(in.end())
		}
		return nil
	}
	if s.space() != '"' {
		return s.ahead(in.end(), "key must be a string")
	}
	if _, wrong := s.quoted(true); wrong != nil {
		return wrong
	}
	return s.colon()
}

func (s *scanner) colon() *Mismatch {
	if s.space() != ':' {
		return s.ahead(bracket('{').end(), "expected `:`")
	}
	s.at++
	return nil
}

// more reports whether an array or object has another item, and passes the comma before it.
func (s *scanner) more(in bracket, first bool) (bool, *Mismatch) {
	switch c := s.space(); {
	case c == in.close():
		return false, nil
	case s.ended():
		return false, s.here(in.end())
	case first:
	case c != ',':
		return false, s.ahead("", "expected `,` or `"+string(in.close())+"`")
	default:
		if s.at++; s.space() == in.close() {
			return false, s.ahead("", "trailing comma")
		} else if s.ended() {
			return false, s.here(endOfValue)
		}
	}
	if in == '{' && s.peek() != '"' {
		return false, s.ahead("", "key must be a string")
	}
	return true, nil
}
