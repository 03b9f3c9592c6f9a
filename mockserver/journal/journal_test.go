package journal_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

var epoch = time.Unix(1_000_000_000, 0)

// beat returns a good heartbeat as a node sends it.
func beat(node string) journal.Exchange {
	return journal.Exchange{
		At:            epoch,
		Took:          120 * time.Microsecond,
		Operation:     control.OperationHeartbeatNode,
		Node:          node,
		CorrelationID: "correlation-1",
		Method:        http.MethodPost,
		Path:          "/v2/nodes/" + node + "/heartbeat",
		RequestHeader: http.Header{
			"Accept-Encoding":  {"gzip"},
			"Authorization":    {"Bearer 0123456789abcdef0123456789abcdef"},
			"Content-Length":   {"212"},
			"Content-Type":     {"application/json"},
			"User-Agent":       {"pool-managerd/0.1.0"},
			"X-Correlation-Id": {"correlation-1"},
		},
		RequestBody: []byte(
			`{"timestamp":"2025-10-01T00:00:00Z","pools":[{"pool_id":"pool-0","ready":true,"draining":false,` +
				`"slots_free":3,"slots_total":4,"vram_free_bytes":18000000000}]}`),
		Vetted:       true,
		Status:       http.StatusOK,
		AnswerHeader: http.Header{"Content-Type": {"application/json"}, "X-Correlation-Id": {"correlation-1"}},
		AnswerBody:   []byte(`{"success":true,"next_heartbeat_ms":10000}`),
	}
}

// TestEntry reads an exchange in full and in brief.
func TestEntry(t *testing.T) {
	events := journal.New(10)
	noted := beat("gpu-node-1")
	noted.Fault = "slow"
	noted.Departures = []drift.Departure{
		{
			Operation: "heartbeatNode", Pointer: "/pools/*/engine", Kind: "type", Expected: "must be a string",
			Got: "null",
		},
		{Operation: "heartbeatNode", Pointer: "/a\x00b", Kind: "unknown", Expected: "must be known", Got: `"a"`},
	}
	noted.Relayed = true
	noted.AnswerDepartures = []drift.Departure{
		{Operation: "heartbeatNode", Status: 200, Pointer: "/a", Kind: "type", Expected: "must be a string", Got: "1"},
	}
	events.Exchange(noted)
	want := control.JournalEntry{
		Sequence:      1,
		AtMs:          epoch.UnixMilli(),
		Kind:          control.EntryKindExchange,
		Summary:       "heartbeatNode gpu-node-1 200 (fault slow, 2 departures, 1 departure of the answer)",
		Content:       new("pool-0 ready, 3 of 4 slots free"),
		NodeID:        new("gpu-node-1"),
		Operation:     new(control.OperationHeartbeatNode),
		CorrelationID: new("correlation-1"),
		DurationUs:    new(int64(120)),
		Fault:         new("slow"),
		Departures: &[]control.Departure{
			{
				Operation: "heartbeatNode", Pointer: "/pools/*/engine", Kind: "type", Expected: "must be a string",
				Got: "null",
			},
			{Operation: "heartbeatNode", Pointer: "/a\x00b", Kind: "unknown", Expected: "must be known", Got: `"a"`},
		},
		AnswerDepartures: &[]control.Departure{{
			Operation: "heartbeatNode", Status: new(int32(200)), Pointer: "/a", Kind: "type",
			Expected: "must be a string", Got: "1",
		}},
		Request: &control.RequestRecord{
			Method: "POST", Path: "/v2/nodes/gpu-node-1/heartbeat",
			Header: &control.HeaderRecord{
				"Accept-Encoding": "gzip", "Authorization": "Bearer ***", "Content-Length": "212",
				"Content-Type": "application/json", "User-Agent": "pool-managerd/0.1.0",
				"X-Correlation-Id": "correlation-1",
			},
			Body: &control.BodyRecord{Text: string(noted.RequestBody), Bytes: int64(len(noted.RequestBody))},
		},
		Answer: &control.AnswerRecord{
			Status: new(int32(200)),
			Header: &control.HeaderRecord{"Content-Type": "application/json", "X-Correlation-Id": "correlation-1"},
			Body:   &control.BodyRecord{Text: string(noted.AnswerBody), Bytes: int64(len(noted.AnswerBody))},
		},
	}
	got, ok := events.Entry(1)
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("entry, %v (-want +got):\n%s", ok, diff)
	}
	want.Request.Header, want.Request.Body, want.Answer.Header, want.Answer.Body = nil, nil, nil, nil
	if diff := cmp.Diff([]control.JournalEntry{want}, events.Page(journal.Filter{Brief: true}, 1).Entries); diff != "" {
		t.Errorf("in brief (-want +got):\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	problem := func(status int, body string) func(*journal.Exchange) {
		return func(e *journal.Exchange) { e.Status, e.AnswerBody = status, []byte(body) }
	}
	for _, test := range []struct {
		change func(*journal.Exchange)
		want   string
	}{
		{func(*journal.Exchange) {}, "heartbeatNode gpu-node-1 200"},
		{func(e *journal.Exchange) { e.Status = 0 }, "heartbeatNode gpu-node-1 no answer"},
		{
			func(e *journal.Exchange) {
				e.Status, e.Fault = 0,
					"outage"
			}, "heartbeatNode gpu-node-1 no answer (fault outage)",
		},
		{problem(404, `{"code":"unknown_node"}`), "heartbeatNode gpu-node-1 404 unknown_node"},
		{problem(503, ``), "heartbeatNode gpu-node-1 503"},
		{problem(503, `<html>`), "heartbeatNode gpu-node-1 503"},
		{problem(503, `{"code":"internal","errors":7}`), "heartbeatNode gpu-node-1 503"},
		{problem(400, `{"code":"malformed"}`), "heartbeatNode gpu-node-1 400 malformed"},
		{problem(200, `{"code":"fine"}`), "heartbeatNode gpu-node-1 200"},
		{
			func(e *journal.Exchange) { e.Status, e.Departures = 400, make([]drift.Departure, 1) },
			"heartbeatNode gpu-node-1 400",
		},
		{
			func(e *journal.Exchange) { e.Departures, e.Remark = make([]drift.Departure, 1), "twice" },
			"heartbeatNode gpu-node-1 200 (twice, 1 departure)",
		},
		{
			problem(422, `{"code":"contract_violation","errors":[{"pointer":"/pools","detail":"is missing"}]}`),
			"heartbeatNode gpu-node-1 422 contract_violation at /pools",
		},
		{
			problem(422,
				`{"code":"contract_violation","errors":[{"pointer":"","detail":"a"},{"pointer":"/b","detail":"b"}]}`),
			"heartbeatNode gpu-node-1 422 contract_violation at the top and 1 more",
		},
		{ // the journal keeps its beginning
			problem(422,
				`{"code":"contract_violation","errors":[{"pointer":"/pools","detail":"is missing"},{"pointer":"`+
					strings.Repeat("x", 1<<13)+`"}]}`),
			"heartbeatNode gpu-node-1 422 contract_violation at /pools",
		},
		{
			func(e *journal.Exchange) {
				*e = journal.Exchange{
					Method: "GET", Path: "/v2/nodez", Status: 404,
					AnswerBody: []byte(`{"code":"not_found"}`),
				}
			},
			"GET /v2/nodez 404 not_found",
		},
	} {
		events := journal.New(1)
		e := beat("gpu-node-1")
		test.change(&e)
		events.Exchange(e)
		if got, _ := events.Entry(1); got.Summary != test.want {
			t.Errorf("got  %q\nwant %q", got.Summary, test.want)
		}
	}
}

func TestChangeAndControl(t *testing.T) {
	events := journal.New(10)
	events.Change("gpu-node-1", epoch, "", nodeapi.NodeStatusRegistering)
	events.Change("gpu-node-1", epoch, nodeapi.NodeStatusOnline, nodeapi.NodeStatusOffline)
	events.Change("gpu-node-1", epoch, nodeapi.NodeStatusOffline, "")
	events.Control(epoch, "the clock was paused")
	at := epoch.UnixMilli()
	node, change := new("gpu-node-1"), control.EntryKindChange
	want := control.JournalPage{Last: 4, Entries: []control.JournalEntry{
		{
			Sequence: 1, AtMs: at, Kind: change, NodeID: node, Summary: "gpu-node-1 → Registering",
			Change: &control.Transition{AtMs: at, To: new(nodeapi.NodeStatusRegistering)},
		},
		{
			Sequence: 2, AtMs: at, Kind: change, NodeID: node, Summary: "gpu-node-1 Online → Offline",
			Change: &control.Transition{
				AtMs: at, From: new(nodeapi.NodeStatusOnline), To: new(nodeapi.NodeStatusOffline),
			},
		},
		{
			Sequence: 3, AtMs: at, Kind: change, NodeID: node, Summary: "gpu-node-1 Offline → gone",
			Change: &control.Transition{AtMs: at, From: new(nodeapi.NodeStatusOffline)},
		},
		{Sequence: 4, AtMs: at, Kind: control.EntryKindControl, Summary: "the clock was paused"},
	}}
	if diff := cmp.Diff(want, events.Page(journal.Filter{}, 10)); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

// TestRing fills journals beyond their size, and clears them on the way.
func TestRing(t *testing.T) {
	for _, test := range []struct {
		size, before, after int // entries before and after it is cleared
		want                control.JournalCounts
		kept                []int64
	}{
		{3, 0, 0, control.JournalCounts{}, nil},
		{3, 0, 2, control.JournalCounts{Last: 2, Kept: 2}, []int64{1, 2}},
		{3, 0, 3, control.JournalCounts{Last: 3, Kept: 3}, []int64{1, 2, 3}},
		{3, 0, 8, control.JournalCounts{Last: 8, Kept: 3, Dropped: 5}, []int64{6, 7, 8}},
		{3, 2, 0, control.JournalCounts{Last: 2}, nil},
		{3, 8, 0, control.JournalCounts{Last: 8}, nil},
		{3, 8, 2, control.JournalCounts{Last: 10, Kept: 2}, []int64{9, 10}},
		{3, 8, 4, control.JournalCounts{Last: 12, Kept: 3, Dropped: 1}, []int64{10, 11, 12}},
		{1, 0, 2, control.JournalCounts{Last: 2, Kept: 1, Dropped: 1}, []int64{2}},
		{0, 0, 2, control.JournalCounts{Last: 2, Dropped: 2}, nil},
		{0, 2, 1, control.JournalCounts{Last: 3, Dropped: 1}, nil},
	} {
		events := journal.New(test.size)
		write(events, test.before)
		if test.before > 0 {
			events.Clear()
		}
		write(events, test.after)
		if got := events.Counts(); got != test.want {
			t.Errorf("%+v: counts %+v", test, got)
		}
		page := events.Page(journal.Filter{}, 100)
		if diff := cmp.Diff(test.kept, sequences(page.Entries)); diff != "" {
			t.Errorf("%+v: kept (-want +got):\n%s", test, diff)
		}
		if page.Last != test.want.Last || page.Dropped != test.want.Dropped || page.Entries == nil {
			t.Errorf("%+v: page %+v", test, page)
		}
		if page = events.Page(journal.Filter{After: new(int64(0))}, 100); page.Dropped != test.want.Dropped ||
			page.Last != test.want.Last {
			t.Errorf("%+v: page from the beginning %+v", test, page)
		}
		for sequence := int64(-1); sequence <= test.want.Last+1; sequence++ {
			entry, ok := events.Entry(sequence)
			kept := sequence > test.want.Last-test.want.Kept && sequence <= test.want.Last
			if ok != kept || ok && entry.Sequence != sequence {
				t.Errorf("%+v: entry %d is %v, %+v", test, sequence, ok, entry)
			}
		}
	}
}

// write adds heartbeats, of two nodes in turn.
func write(events *journal.Journal, n int) {
	for i := range n {
		events.Exchange(beat(fmt.Sprint("gpu-node-", i%2)))
	}
}

func sequences(entries []control.JournalEntry) []int64 {
	var all []int64
	for _, entry := range entries {
		all = append(all, entry.Sequence)
	}
	return all
}

// TestKeptLength has an entry whose parts are all too long. What the journal returns keeps the
// lengths of the document.
func TestKeptLength(t *testing.T) {
	long := strings.Repeat("ä", 1<<20)
	events := journal.New(1)
	header := http.Header{"Short": {"kept"}, "Long": {long}, "Many": make([]string, 1<<16), long: {"value"}}
	for i := range 1000 {
		header[fmt.Sprint("X-", i)] = []string{long}
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

// TestConcurrency has the race detector, and the journal's numbers, look at writers and
// readers that are at it together.
func TestConcurrency(t *testing.T) {
	const writers, each = 8, 200
	events := journal.New(5)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() { write(events, each) })
	}
	for range 4 {
		group.Go(func() {
			var after int64
			for after < writers*each {
				page := events.Page(journal.Filter{After: &after}, 10)
				next := after + page.Dropped
				for _, entry := range page.Entries {
					if next++; entry.Sequence != next ||
						*entry.NodeID != (*entry.Request).Path[len("/v2/nodes/"):len("/v2/nodes/gpu-node-1")] {
						t.Errorf("after %d and %d dropped comes %d, %s", after, page.Dropped, entry.Sequence,
							entry.Summary)
						return
					}
					after = entry.Sequence
				}
				events.Counts()
			}
		})
	}
	group.Wait()
	if got := events.Counts(); got.Last != writers*each {
		t.Errorf("counts %+v", got)
	}
}
