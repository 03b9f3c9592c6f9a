package spec

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// FuzzFirstMismatch reads any text. What is not JSON has a mismatch, unless that is in what is thrown
// away. So has what the document refuses. Each is within the text.
func FuzzFirstMismatch(f *testing.F) {
	for _, seed := range []string{
		`{"timestamp":"now","pools":[]}`, `{"timestamp":1}`, `{"pools":[{"pool_id":"p","ready":true}]}`,
		`{"timestamp":"","pools":[{"pool_id":"","ready":true,"draining":false,"slots_free":4294967295,` +
			`"slots_total":1,"vram_free_bytes":18446744073709551615,"engine":null,"models_available":[{}]}]}`,
		`{"timestamp":"","timestamp":"","pools":[]}`, `{"x":[[{"y":[1]}]],"timestamp":null}`, `[]`, `null`, `-0`,
		`{"timestamp":"","pools":[{"slots_free":3.0}]}`, `{"pools":[{"slots_free":1e400}]}`, "{\n\n\"pools\":1e3}",
		`["",[["",true,true,1,2,3,null]]]`, `{"x":[{"y":1},`, `{"timestamp":"\ud800\`, "{\"x\":\"\xff\"}",
		`{"pools":[{"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(readTwice)
}

// readTwice reads a heartbeat as the orchestratord in service does, and with the standard library.
func readTwice(t *testing.T, text string) {
	t.Helper()
	document := InService()
	schema := document.body("heartbeatNode")
	mismatch := FirstMismatch(schema, []byte(text))
	if mismatch != nil && (mismatch.offset < 0 || mismatch.offset > len(text) || mismatch.Reason == "") {
		t.Fatalf("%q: %q at %d of %d", text, mismatch.Reason, mismatch.offset, len(text))
	}
	value, _, err := DecodeBody([]byte(text), schema)
	if err != nil {
		if mismatch == nil && utf8.ValidString(text) && !strings.Contains(err.Error(), "max depth") {
			t.Errorf("%q: no mismatch, although %v", text, err)
		}
		return
	}
	broken := document.CheckBody(schema, value, len(text))
	switch {
	case mismatch == nil && broken != nil:
		t.Errorf("%q: no mismatch, although %v", text, broken)
	case mismatch == nil:
	case strings.Contains(mismatch.Reason, "hex escape"), mismatch.Reason == "number out of range":
	case mismatch.Syntax:
		t.Errorf("%q: %s, although it is JSON", text, mismatch.Reason)
	case broken == nil && !strings.HasPrefix(mismatch.Reason, "duplicate") && mismatch.got == "":
		t.Errorf("%q: %s: %s, although the document is kept", text, mismatch.Pointer, mismatch.Reason)
	}
}

// TestEveryByteIsReadTwice puts bytes and escapes before every byte of a heartbeat, and behind the last one.
func TestEveryByteIsReadTwice(t *testing.T) {
	const good = `{"timestamp":"t","pools":[{"pool_id":"a","ready":true,"draining":false,"slots_free":10,` +
		`"slots_total":10,"vram_free_bytes":10,"engine":"e"}]}`
	readTwice(t, good)
	for at := range len(good) + 1 {
		for _, other := range []string{
			"\x00", "\v", "\f", "\n", "é", `\`, `\"`, `\/`, `\b\f\n\r\t`, `\u00e9`, `\ud83d\ude00`,
			`"`, ":", ",", "0", "-", ".", "e1", "E1", "]", "}", "null",
		} {
			readTwice(t, good[:at]+other+good[at:])
		}
	}
}

// TestALongNumberIsCut has a megabyte of digits in a body. The finding shows the first few.
func TestALongNumberIsCut(t *testing.T) {
	body := `{"timestamp":"","pools":[{"slots_free":3.` + strings.Repeat("0", 1<<20) + `}]}`
	mismatch := FirstMismatch(InService().body("heartbeatNode"), []byte(body))
	if mismatch == nil {
		t.Fatal("no mismatch")
	}
	for _, departure := range mismatch.Departures() {
		if got := utf8.RuneCountInString(departure.Got); got != longestValue {
			t.Errorf("%d characters, want %d", got, longestValue)
		}
	}
	if len(mismatch.Departures()) != 1 || len(mismatch.Reason) > 100 {
		t.Errorf("departures %.100v, %.200s", mismatch.Departures(), mismatch.Reason)
	}
}

// TestNumbersThatFit looks at numbers where a schema has numbers.
func TestNumbersThatFit(t *testing.T) {
	schema := schemaOf(openapi3.NewFloat64Schema(), "")
	for text, want := range map[string]string{
		"3": "", "-0.5": "", "1e3": "", `"3"`: `invalid type: string "3", expected f64`,
	} {
		got := ""
		if mismatch := FirstMismatch(schema, []byte(text)); mismatch != nil {
			got = mismatch.Reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
