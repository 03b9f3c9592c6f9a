package journal_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// BenchmarkExchange writes down the heartbeat of a node.
func BenchmarkExchange(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		events, e := warm()
		b.ReportAllocs()
		for b.Loop() {
			events.Exchange(e)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		events, e := warm()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				events.Exchange(e)
			}
		})
	})
	b.Run("followed", func(b *testing.B) {
		events, e := warm()
		following := events.Follow(b.Context(), journal.Filter{Brief: true})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for batch := range following {
				for range batch.Entries {
				}
			}
		}()
		for b.Loop() {
			events.Exchange(e)
		}
	})
}

// warm returns a journal in which every place has been used, and what to write to it.
func warm() (*journal.Journal, journal.Exchange) {
	events, e := journal.New(journal.DefaultSize), beat("gpu-node-1")
	for range journal.DefaultSize {
		events.Exchange(e)
	}
	return events, e
}

func TestNoAllocations(t *testing.T) {
	events, e := warm()
	if n := testing.AllocsPerRun(1000, func() { events.Exchange(e) }); n > 0 {
		t.Errorf("an exchange takes %v allocations", n)
	}
}

// TestMemory_heavy fills a journal with entries that are as large as they get.
func TestMemory_heavy(t *testing.T) {
	race.Skip(t)
	long := strings.Repeat("x", 1<<16)
	e := beat(long)
	e.CorrelationID, e.Method, e.Path, e.Fault = long, long, long, long
	e.RequestBody, e.AnswerBody = []byte(long), []byte(long)
	header := http.Header{}
	for i := range 1000 {
		header[strings.Repeat("x", i)] = []string{long}
	}
	e.RequestHeader = header
	e.AnswerHeader = http.Header{"Many": make([]string, 1<<16)}

	const size = 5
	before := heap()
	events := journal.New(size)
	for range 2 * size {
		events.Exchange(e)
	}
	taken := heap() - before
	t.Logf("%d bytes an entry", taken/size)
	if taken > size*journal.MaxEntryBytes {
		t.Errorf("%d bytes are taken, of %d", taken, size*journal.MaxEntryBytes)
	}
	runtime.KeepAlive(e) // what it holds is not part of the difference
	runtime.KeepAlive(events)
}

func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
