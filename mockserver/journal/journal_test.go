package journal_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
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

// TestPlaceIsUsedAgain writes each kind of entry in the place of each other. Nothing is left of what was there.
func TestPlaceIsUsedAgain(t *testing.T) {
	kinds := map[string]func(*journal.Journal){
		"a full exchange": func(events *journal.Journal) {
			e := beat("gpu-node-1")
			e.Query, e.Fault, e.Departures = "a=b", "slow", []drift.Departure{{Pointer: "/a"}}
			events.Exchange(e)
		},
		"an empty exchange": func(events *journal.Journal) {
			events.Exchange(journal.Exchange{Method: "GET", Path: "/"})
		},
		"a change": func(events *journal.Journal) {
			events.Change("gpu-node-1", epoch, nodeapi.NodeStatusOnline, nodeapi.NodeStatusOffline)
		},
		"a control": func(events *journal.Journal) { events.Control(epoch, "the clock was paused") },
	}
	for earlier, before := range kinds {
		for later, write := range kinds {
			fresh, used := journal.New(2), journal.New(1)
			before(fresh)
			write(fresh)
			before(used)
			write(used)
			last := new(int64(1))
			want, got := fresh.Page(journal.Filter{After: last}, 1), used.Page(journal.Filter{After: last}, 1)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s after %s (-want +got):\n%s", later, earlier, diff)
			}
			for _, e := range []control.Expectation{
				{Becomes: new(nodeapi.NodeStatusOffline)}, {Operation: new(control.OperationHeartbeatNode)},
			} {
				e.After = last
				if want, got := fresh.Expect(t.Context(), e), used.Expect(t.Context(), e); want.Count != got.Count {
					t.Errorf("%s after %s: %s, want %d", later, earlier, got.Message, want.Count)
				}
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
