package drift_test

import (
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

// TestWhatMakesADeparture has departures that differ in one thing each.
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
}

func TestString(t *testing.T) {
	departure := drift.Departure{Operation: "o", Pointer: "/a\x1b[2J", Expected: "must be there", Got: "nothing"}
	if want, got := `o at "/a<U+001B>[2J": must be there (got nothing)`, departure.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
