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
	document := InService()
	schema := document.body("heartbeatNode")
	f.Fuzz(func(t *testing.T, text string) {
		mismatch := FirstMismatch(schema, []byte(text))
		if mismatch != nil && (mismatch.offset < 0 || mismatch.offset > len(text) || mismatch.Reason == "") {
			t.Fatalf("%q at %d of %d", mismatch.Reason, mismatch.offset, len(text))
		}
		value, _, err := DecodeBody([]byte(text), schema)
		if err != nil {
			if mismatch == nil && utf8.ValidString(text) && !strings.Contains(err.Error(), "max depth") {
				t.Errorf("no mismatch, although %v", err)
			}
			return
		}
		broken := document.CheckBody(schema, value, len(text))
		switch {
		case mismatch == nil && broken != nil:
			t.Errorf("no mismatch, although %v", broken)
		case mismatch == nil || mismatch.Syntax:
		case broken == nil && !strings.HasPrefix(mismatch.Reason, "duplicate") && mismatch.got == "":
			t.Errorf("%s: %s, although the document is kept", mismatch.Pointer, mismatch.Reason)
		}
	})
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
