package drift_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/drift"
)

func TestRecord(t *testing.T) {
	var record drift.Record
	noon := time.Unix(1_000_000_000, 0)
	first, last := drift.Sighting{NodeID: "a", At: noon}, drift.Sighting{At: noon.Add(time.Second)}
	unknown := drift.Departure{Operation: "o", Pointer: "/x", Kind: drift.Unknown, Expected: "must be y", Got: "x"}
	minimum := drift.Departure{Operation: "o", Pointer: "/x", Kind: "minimum", Expected: "must be 1 or more", Got: "0"}
	later := minimum
	later.Got = "-1"

	if diff := cmp.Diff([]drift.Departure{unknown, minimum},
		record.Add(first, []drift.Departure{unknown, minimum})); diff != "" {
		t.Errorf("new at first (-want +got):\n%s", diff)
	}
	if fresh := record.Add(last, []drift.Departure{later}); fresh != nil {
		t.Errorf("new the second time: %v", fresh)
	}
	want := drift.Report{Entries: []drift.Entry{
		{Departure: minimum, Requests: 2, First: first, Last: last},
		{Departure: unknown, Requests: 1, First: first, Last: first},
	}}
	if diff := cmp.Diff(want, record.Report()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// TestWhatMakesADeparture has departures that differ in one thing each, and that a report orders by all of them.
func TestWhatMakesADeparture(t *testing.T) {
	var record drift.Record
	first := drift.Departure{Operation: "o", Status: 200, Pointer: "/x", Kind: drift.Unknown}
	for i, edit := range []func(*drift.Departure){
		func(*drift.Departure) {},
		func(d *drift.Departure) { d.Operation = "p" },
		func(d *drift.Departure) { d.Status = 503 },
		func(d *drift.Departure) { d.Status = 0 },
		func(d *drift.Departure) { d.Pointer = "/y" },
		func(d *drift.Departure) { d.Kind = drift.Twice },
	} {
		other := first
		edit(&other)
		if fresh := record.Add(drift.Sighting{}, []drift.Departure{other}); len(fresh) != 1 {
			t.Errorf("%d: %+v counts as one that was there before", i, other)
		}
	}
	var order []string
	for _, entry := range record.Report().Entries {
		order = append(order, fmt.Sprint(entry.Operation, entry.Status, entry.Pointer, entry.Kind))
	}
	want := []string{
		"o0/xunknown", "o200/xtwice", "o200/xunknown", "o200/yunknown", "o503/xunknown", "p200/xunknown",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("report in order (-want +got):\n%s", diff)
	}
}

// TestLimit makes departures up, from several sides at once.
func TestLimit(t *testing.T) {
	var (
		record drift.Record
		done   sync.WaitGroup
	)
	for side := range 4 {
		done.Go(func() {
			for i := range drift.Limit {
				record.Add(drift.Sighting{}, []drift.Departure{{Pointer: strconv.Itoa(side*drift.Limit + i)}})
			}
		})
	}
	done.Wait()
	if report := record.Report(); len(report.Entries) != drift.Limit || report.Dropped != 3*drift.Limit {
		t.Errorf("%d kept, %d dropped", len(report.Entries), report.Dropped)
	}
	known := record.Report().Entries[0].Departure
	record.Add(drift.Sighting{}, []drift.Departure{{Pointer: "new"}, known, {Pointer: "newer"}})
	if report := record.Report(); report.Entries[0].Requests != 2 || report.Dropped != 3*drift.Limit+2 {
		t.Errorf("one that is kept was seen %d times, %d dropped", report.Entries[0].Requests, report.Dropped)
	}
	record.Clear()
	if report := record.Report(); report.Entries != nil || report.Dropped != 0 {
		t.Errorf("after it was cleared, %d kept, %d dropped", len(report.Entries), report.Dropped)
	}
	if fresh := record.Add(drift.Sighting{}, []drift.Departure{known}); len(fresh) != 1 {
		t.Error("after it was cleared, there is no room")
	}
}

func TestString(t *testing.T) {
	for want, departure := range map[string]drift.Departure{
		`o at "/a<U+001B>[2J": must be there (got nothing)`: {
			Operation: "o", Pointer: "/a\x1b[2J", Expected: "must be there", Got: "nothing",
		},
		`o 503 at "/a": must be there (got nothing)`: {
			Operation: "o", Status: 503, Pointer: "/a", Expected: "must be there", Got: "nothing",
		},
		`no operation at "/v3": must be /v2 (got /v3)`: {Pointer: "/v3", Expected: "must be /v2", Got: "/v3"},
	} {
		if got := departure.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
