package spec

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// FuzzFirstFault reads what is JSON. Whatever the document refuses has a fault, which is within the
// text, and a body without a fault keeps the document.
func FuzzFirstFault(f *testing.F) {
	for _, seed := range []string{
		`{"timestamp":"now","pools":[]}`, `{"timestamp":1}`, `{"pools":[{"pool_id":"p","ready":true}]}`,
		`{"timestamp":"","pools":[{"pool_id":"","ready":true,"draining":false,"slots_free":4294967295,` +
			`"slots_total":1,"vram_free_bytes":18446744073709551615,"engine":null,"models_available":[{}]}]}`,
		`{"timestamp":"","timestamp":"","pools":[]}`, `{"x":[[{"y":[1]}]],"timestamp":null}`, `[]`, `null`, `-0`,
		`{"timestamp":"","pools":[{"slots_free":3.0}]}`, `{"pools":[{"slots_free":1e400}]}`, "{\n\n\"pools\":1e3}",
	} {
		f.Add(seed)
	}
	document := InService()
	schema := document.body("heartbeatNode")
	f.Fuzz(func(t *testing.T, text string) {
		value, _, err := DecodeBody([]byte(text), schema)
		if err != nil {
			return
		}
		fault := FirstFault(schema, []byte(text))
		broken := document.CheckBody(schema, value, len(text))
		switch {
		case fault == nil && broken != nil:
			t.Errorf("no fault, although %v", broken)
		case fault == nil:
		case fault.offset < 0 || fault.offset > len(text) || fault.Reason == "":
			t.Errorf("%q at %d of %d", fault.Reason, fault.offset, len(text))
		case broken == nil && !strings.HasPrefix(fault.Reason, "duplicate") && fault.got == "":
			t.Errorf("%s: %s, although the document is kept", fault.Pointer, fault.Reason)
		}
	})
}

// TestALongNumberIsCut has a megabyte of digits in a body. The finding shows the first few.
func TestALongNumberIsCut(t *testing.T) {
	body := `{"timestamp":"","pools":[{"slots_free":3.` + strings.Repeat("0", 1<<20) + `}]}`
	fault := FirstFault(InService().body("heartbeatNode"), []byte(body))
	if fault == nil {
		t.Fatal("no fault")
	}
	for _, departure := range fault.Departures() {
		if got := utf8.RuneCountInString(departure.Got); got != longestValue {
			t.Errorf("%d characters, want %d", got, longestValue)
		}
	}
	if len(fault.Departures()) != 1 || len(fault.Reason) > 100 {
		t.Errorf("departures %.100v, %.200s", fault.Departures(), fault.Reason)
	}
}

// TestNumbersThatFit looks at numbers where a schema has numbers.
func TestNumbersThatFit(t *testing.T) {
	schema := schemaOf(openapi3.NewFloat64Schema(), "")
	for text, want := range map[string]string{
		"3": "", "-0.5": "", "1e3": "", `"3"`: `invalid type: string "3", expected f64`,
	} {
		got := ""
		if fault := FirstFault(schema, []byte(text)); fault != nil {
			got = fault.Reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
