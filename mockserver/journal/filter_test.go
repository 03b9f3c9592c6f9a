package journal_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// mixed returns a journal with one entry of each sort.
func mixed() *journal.Journal {
	events := journal.New(100)
	answered := func(node string, status int) {
		e := beat(node)
		e.Status = status
		events.Exchange(e)
	}
	answered("gpu-node-1", 200)                                              // 1
	answered("gpu-node-2", 404)                                              // 2
	answered("gpu-node-2", 0)                                                // 3
	events.Change("gpu-node-1", epoch, "Online", nodeapi.NodeStatusOffline)  // 4
	events.Control(epoch, "the clock was paused")                            // 5
	events.Exchange(journal.Exchange{Method: "GET", Path: "/", Status: 404}) // 6
	register := beat("other")
	register.Operation = control.OperationRegisterNode
	register.Status = 401
	events.Exchange(register) // 7
	return events
}

func TestFilter(t *testing.T) {
	events := mixed()
	for _, test := range []struct {
		filter journal.Filter
		limit  int
		want   []int64
	}{
		{journal.Filter{}, 100, []int64{1, 2, 3, 4, 5, 6, 7}},
		{journal.Filter{}, 2, []int64{6, 7}},
		{journal.Filter{After: new(int64(0))}, 2, []int64{1, 2}},
		{journal.Filter{After: new(int64(2))}, 2, []int64{3, 4}},
		{journal.Filter{After: new(int64(7))}, 2, nil},
		{journal.Filter{After: new(int64(1000))}, 2, nil},
		{journal.Filter{Node: "gpu-node-1"}, 100, []int64{1, 4}},
		{journal.Filter{Node: "gpu-*"}, 100, []int64{1, 2, 3, 4}},
		{journal.Filter{Node: "gpu-node-[2-9]"}, 100, []int64{2, 3}},
		{journal.Filter{Node: "*"}, 100, []int64{1, 2, 3, 4, 7}},
		{journal.Filter{Node: "["}, 100, nil},
		{journal.Filter{Operation: control.OperationHeartbeatNode}, 100, []int64{1, 2, 3}},
		{journal.Filter{Kind: control.EntryKindChange}, 100, []int64{4}},
		{journal.Filter{Kind: control.EntryKindControl}, 100, []int64{5}},
		{journal.Filter{Answered: "404"}, 100, []int64{2, 6}},
		{journal.Filter{Answered: "4xx"}, 100, []int64{2, 6, 7}},
		{journal.Filter{Answered: "2xx"}, 100, []int64{1}},
		{journal.Filter{Answered: "40"}, 100, nil},
		{journal.Filter{Answered: "none"}, 100, []int64{3}},
		{
			journal.Filter{Answered: "4xx", Operation: control.OperationHeartbeatNode, After: new(int64(1))},
			100,
			[]int64{2},
		},
	} {
		page := events.Page(test.filter, test.limit)
		if diff := cmp.Diff(test.want, sequences(page.Entries)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.filter, diff)
		}
		last := int64(7)
		if test.filter.After != nil && len(test.want) == test.limit {
			last = test.want[test.limit-1]
		}
		if page.Last != last {
			t.Errorf("%+v: the page goes on after %d, want %d", test.filter, page.Last, last)
		}
	}
}

// TestPageSize_heavy has more in the journal than fits into a page. A page is truncated if it has fewer entries
// than asked for.
func TestPageSize_heavy(t *testing.T) {
	race.Skip(t)
	const entries = 300
	events := journal.New(entries)
	e := beat("gpu-node-1")
	e.RequestBody, e.AnswerBody = bytes.Repeat([]byte("x"), 4000), bytes.Repeat([]byte("x"), 4000)
	for range entries {
		events.Exchange(e)
	}
	for name, filter := range map[string]journal.Filter{"newest": {}, "oldest": {After: new(int64(0))}} {
		whole := events.Page(filter, entries)
		var bytes []int
		for _, entry := range whole.Entries {
			text, err := json.Marshal(entry)
			if err != nil {
				t.Fatal(err)
			}
			bytes = append(bytes, len(text))
		}
		sum, last := 0, bytes[len(bytes)-1]
		for _, each := range bytes {
			sum += each
		}
		if sum < journal.MaxBatchBytes || sum-last >= journal.MaxBatchBytes || whole.Truncated == nil {
			t.Errorf("the %s: %d bytes, the last entry has %d of them, truncated %v", name, sum, last, whole.Truncated)
		}
		fits := len(bytes)
		for _, limit := range []int{fits, fits - 1} {
			page := events.Page(filter, limit)
			if len(page.Entries) != limit || page.Truncated != nil {
				t.Errorf("the %s %d of %d: truncated %v", name, len(page.Entries), limit, page.Truncated)
			}
		}
		first, end := whole.Entries[0].Sequence, whole.Entries[fits-1].Sequence
		if filter.After != nil && (first != 1 || whole.Last != end) || filter.After == nil && end != entries {
			t.Errorf("the %s are %d to %d, to go on after %d", name, first, end, whole.Last)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	for _, glob := range []string{"", "gpu-*", "[a-c]?", `\*`} {
		if err := (journal.Filter{Node: glob}).Check(); err != nil {
			t.Errorf("%s: %v", glob, err)
		}
	}
	for _, glob := range []string{"[", "[]", `a\`, "[a-", "a[b"} {
		if (journal.Filter{Node: glob}).Check() == nil {
			t.Errorf("%s is taken", glob)
		}
	}
}
