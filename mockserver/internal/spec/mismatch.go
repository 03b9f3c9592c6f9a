package spec

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/mockserver/drift"
)

// Mismatch is where the orchestratord in service stops to read a body, in the words of its JSON
// library (serde_json).
type Mismatch struct {
	Pointer string // to the value, or to the object or array that is wrong between its values
	Reason  string
	Syntax  bool // what was read so far is not JSON

	path   string // to the same place, in its words
	got    string // the number, if it is one
	offset int    // of what follows
}

// FirstMismatch returns the first place at which a body is not JSON or does not fit a schema. It
// looks no further, as that orchestratord does. It returns nil if there is none. What a schema
// limits besides types and the size of numbers does not count.
func FirstMismatch(schema *Schema, text []byte) *Mismatch {
	r := reader{scanner{text: text}}
	if wrong := r.value(schema); wrong != nil {
		return wrong
	}
	if r.space(); !r.ended() {
		return r.ahead("", "trailing characters")
	}
	return nil
}

// Departures reports a number that has the right value and is written in a way that is refused, such
// as 3.0. All other mismatches are reported elsewhere: see Twice and Document.Departures.
func (m *Mismatch) Departures() []drift.Departure {
	if m.got == "" {
		return nil
	}
	return []drift.Departure{m.departure()}
}

func (m *Mismatch) departure() drift.Departure {
	at := drift.Departure{Pointer: folded(m.Pointer), Kind: "type", Expected: "must be readable", Got: m.Reason}
	if m.got != "" {
		at.Expected = "must be written as an unsigned integer of at most 64 bits"
		at.Got = foreign.Cut(m.got, longestValue)
	}
	return at
}

// Line says where in a text the reader stood, and why. Lines and columns count from 1, columns in
// bytes.
func (m *Mismatch) Line(text []byte) string {
	before, at := text[:m.offset], ""
	if m.path != "" {
		at = m.path + ": "
	}
	return fmt.Sprintf("%s%s at line %d column %d", at, m.Reason, 1+bytes.Count(before, []byte("\n")),
		len(before)-1-bytes.LastIndexByte(before, '\n'))
}

// follow adds a step to where the reader stood.
func (m *Mismatch) follow(next step) {
	if next.index != aField {
		m.Pointer += "/" + strconv.Itoa(next.index)
		m.path += fmt.Sprintf("[%d]", next.index)
		return
	}
	if m.Pointer += "/" + jsonpointer.Token(next.name); m.path != "" {
		m.path += "."
	}
	m.path += shortened(next.name)
}
