package journal_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestKeptLength has an entry whose parts are all too long. What the journal returns keeps the
// lengths of the document.
func TestKeptLength(t *testing.T) {
	long := strings.Repeat("ä", 1<<20)
	events := journal.New(1)
	header := http.Header{"Short": {"kept"}, "Long": {long}, "Many": make([]string, 1<<16), long: {"value"}}
	for i := range 1000 {
		header[fmt.Sprint("X-", i)] = []string{long[:1<<12]}
	}
	departures := make([]drift.Departure, 1000)
	for i := range departures {
		departures[i] = drift.Departure{Pointer: long, Kind: "type", Expected: long, Got: long}
	}
	events.Exchange(journal.Exchange{
		Method: long, Path: long, RequestHeader: header, RequestBody: []byte(long),
		Status: 200, AnswerHeader: header, AnswerBody: []byte(long), Fault: "fault", Departures: departures,
	})
	entry, _ := events.Entry(1)
	if entry.Request.Body.Bytes != int64(len(long)) || len(entry.Request.Body.Text) != 4<<10 {
		t.Errorf("of a body of %d bytes, %d are kept and %d counted", len(long), len(entry.Request.Body.Text),
			entry.Request.Body.Bytes)
	}
	for what, length := range map[string]int{
		"method":     len(entry.Request.Method) / 128,
		"path":       len(entry.Request.Path) / 2048,
		"departures": len(*entry.Departures) / 3,
		"header":     len(*entry.Request.Header) / 40,
		"summary":    len(entry.Summary) / 4096,
	} {
		if length > 1 {
			t.Errorf("%s is %d times too long", what, length)
		}
	}
	if len(*entry.Departures) == 0 || len(*entry.Request.Header) == 0 {
		t.Error("departures or headers are not kept at all")
	}
}

// TestBodies gives the journal a part of a body, the whole of it and none.
func TestBodies(t *testing.T) {
	for _, size := range []int{0, 1, 2} {
		events := journal.New(1)
		events.Exchange(journal.Exchange{RequestBody: []byte("x"), RequestBytes: size, AnswerBytes: size})
		entry, _ := events.Entry(1)
		if got := *entry.Request.Body; got.Text != "x" || got.Bytes != int64(max(size, 1)) {
			t.Errorf("of a request of %d bytes is kept %+v", size, got)
		}
		if got := entry.Answer.Body; size == 0 && got != nil || size > 0 && (got == nil || got.Bytes != int64(size)) {
			t.Errorf("of an answer of %d bytes is kept %+v", size, got)
		}
	}
}

// TestKeptParts has parts that are just as long as the journal keeps, and longer by one.
func TestKeptParts(t *testing.T) {
	for _, part := range []struct {
		name  string
		limit int
		write func(*journal.Exchange, string)
		read  func(control.JournalEntry) string
	}{
		{
			"node", 128, func(e *journal.Exchange, text string) { e.Node = text },
			func(e control.JournalEntry) string { return *e.NodeID },
		},
		{
			"correlation id", 128, func(e *journal.Exchange, text string) { e.CorrelationID = text },
			func(e control.JournalEntry) string { return *e.CorrelationID },
		},
		{
			"fault", 128, func(e *journal.Exchange, text string) { e.Fault = text },
			func(e control.JournalEntry) string { return *e.Fault },
		},
		{
			"method", 128, func(e *journal.Exchange, text string) { e.Method = text },
			func(e control.JournalEntry) string { return e.Request.Method },
		},
		{
			"path", 1024, func(e *journal.Exchange, text string) { e.Path = text },
			func(e control.JournalEntry) string { return e.Request.Path },
		},
		{
			"query", 1024, func(e *journal.Exchange, text string) { e.Query = text },
			func(e control.JournalEntry) string { return *e.Request.Query },
		},
		{
			"remark", 512, func(e *journal.Exchange, text string) { e.Remark = text },
			func(e control.JournalEntry) string {
				return strings.Trim(strings.TrimPrefix(e.Summary, "no answer "), "()")
			},
		},
		{
			"name of a header", 128, func(e *journal.Exchange, text string) { e.AnswerHeader = http.Header{text: nil} },
			func(e control.JournalEntry) string {
				return strings.Join(slices.Collect(maps.Keys(*e.Answer.Header)), "")
			},
		},
		{
			"header", 512, func(e *journal.Exchange, text string) { e.RequestHeader = http.Header{"X": {text}} },
			func(e control.JournalEntry) string { return (*e.Request.Header)["X"] },
		},
		{
			"header that is there twice", 512, func(e *journal.Exchange, text string) {
				e.RequestHeader = http.Header{"X": {text[:200], text[200+len(", "):]}}
			},
			func(e control.JournalEntry) string { return (*e.Request.Header)["X"] },
		},
		{
			"request", 4096, func(e *journal.Exchange, text string) { e.RequestBody = []byte(text) },
			func(e control.JournalEntry) string { return e.Request.Body.Text },
		},
		{
			"answer", 4096, func(e *journal.Exchange, text string) { e.AnswerBody = []byte(text) },
			func(e control.JournalEntry) string { return e.Answer.Body.Text },
		},
		{
			"departure", 1024, func(e *journal.Exchange, text string) {
				e.Departures = []drift.Departure{{Got: text}}
			},
			func(e control.JournalEntry) string { return (*e.Departures)[0].Got },
		},
	} {
		for more := range 2 {
			var e journal.Exchange
			part.write(&e, strings.Repeat("x", part.limit+more))
			events := journal.New(1)
			events.Exchange(e)
			entry, _ := events.Entry(1)
			if kept := len(part.read(entry)); kept != part.limit {
				t.Errorf("%s: %d of %d bytes are kept", part.name, kept, part.limit+more)
			}
		}
	}
}

// TestKeptTogether has as many headers and departures as the journal keeps, and one more.
func TestKeptTogether(t *testing.T) {
	const headers, departures = 4, 5
	for more := range 2 {
		header := http.Header{}
		for i := range headers + more {
			header[strconv.Itoa(i)] = []string{strings.Repeat("x", 480)}
		}
		events := journal.New(1)
		departed := make([]drift.Departure, departures+more)
		for i := range departed {
			departed[i].Got = strings.Repeat("x", 800)
		}
		events.Exchange(journal.Exchange{
			RequestHeader: header, AnswerHeader: header, Departures: departed, AnswerDepartures: departed,
		})
		entry, _ := events.Entry(1)
		if len(*entry.Request.Header) != headers || len(*entry.Answer.Header) != headers ||
			len(*entry.Departures) != departures || len(*entry.AnswerDepartures) != departures {
			t.Errorf("of %d headers and %d departures are kept %d, %d, %d and %d", len(header), len(departed),
				len(*entry.Request.Header), len(*entry.Answer.Header), len(*entry.Departures),
				len(*entry.AnswerDepartures))
		}
	}
}

// TestLongTexts has a request refused with a long reason, and expects it otherwise at length. What the
// journal says of it is as long as the document allows.
func TestLongTexts(t *testing.T) {
	events := journal.New(1)
	e := beat("gpu-node-1")
	e.Status = 422
	e.AnswerBody = []byte(`{"errors":[{"pointer":"/` + strings.Repeat("ä", 2000) + `","detail":"is wrong"}]}`)
	events.Exchange(e)
	result := events.Expect(t.Context(), control.Expectation{
		Node: new(strings.Repeat("ä", 600)), Answered: new("none"),
		Becomes: new(nodeapi.NodeStatus(strings.Repeat("ä", 2000))),
	})
	entry, missed := result.Nearest.Entry, result.Nearest.Missed
	for name, test := range map[string]struct {
		text   string
		schema *openapi3.SchemaRef
	}{
		"summary": {entry.Summary, spec.Control().Schema("JournalEntry").Properties["summary"]},
		"content": {*entry.Content, spec.Control().Schema("JournalEntry").Properties["content"]},
		"message": {result.Message, spec.Control().Schema("ExpectationResult").Properties["message"]},
		"missed":  {missed[1], spec.Control().Schema("NearMiss").Properties["missed"].Value.Items},
	} {
		if got, want := utf8.RuneCountInString(test.text), int(*test.schema.Value.MaxLength); got != want {
			t.Errorf("the %s has %d characters, want %d", name, got, want)
		}
	}
}

// A change of many settings at once is noted whole.
func TestKeptSummary(t *testing.T) {
	j, summary := journal.New(1), strings.Repeat("x", 1000)
	j.Control(time.Now(), summary)
	if kept, _ := j.Entry(1); kept.Summary != summary {
		t.Errorf("the summary is %q", kept.Summary)
	}
}
