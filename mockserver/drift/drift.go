// Package drift counts how requests, and answers, depart from the contract. It is state and nothing else: it
// does no I/O and starts nothing, and callers pass the time in.
package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// The kinds of departures, besides the schema keywords that a body can break, such as
// required or maximum.
const (
	Unknown   = "unknown"   // a field that the contract does not name
	Twice     = "twice"     // a field that an object has more than once
	Malformed = "malformed" // a body that is not JSON
	Undue     = "undue"     // a body where there should be none
	Header    = "header"    // a header that breaks the contract, or says that the body does
	Query     = "query"     // a query parameter that the contract does not name
	Path      = "path"      // a path that is none of the contract's, or a parameter in it that breaks the contract
	Method    = "method"    // a method that the path does not have
	Status    = "status"    // of an answer, which the contract does not have for the operation

	// Unlisted is a list without a node whose heartbeats are accepted.
	Unlisted = "unlisted"
	// RefusedInService is what the orchestratord in service refuses, in a request that was accepted.
	RefusedInService = "refused-in-service"
)

// Limit is how many different departures a Record keeps, so that what clients make up
// does not fill the memory.
const Limit = 1000

// Departure is one way to depart from the contract.
type Departure struct {
	Operation string // by its id in the document; empty for a request that fits none
	Status    int    // of the answer that departs; 0 where a request does
	// Pointer is a JSON pointer to the place in the body, with * for every index of an array.
	// Outside of the body it is the name of the header, the query parameter with a question
	// mark before it, or the path.
	Pointer  string
	Kind     string
	Expected string // with the known field that is nearest to an unknown one, if one is near
	Got      string // for example; long texts are cut, secrets of the request are masked
}

// String returns the departure on one line that is safe for a terminal.
func (d Departure) String() string {
	what := cmp.Or(d.Operation, "no operation")
	if d.Status != 0 {
		what += fmt.Sprint(" ", d.Status)
	}
	return foreign.Line(fmt.Sprintf(`%s at "%s": %s (got %s)`, what, d.Pointer, d.Expected, d.Got))
}

// Sighting is when a request departed from the contract, and whose it was.
type Sighting struct {
	NodeID string // empty when the request names none
	At     time.Time
}

// Entry is a departure and how often it was seen.
type Entry struct {
	Departure            // as in the first request
	Requests    int      // that departed so
	First, Last Sighting // of them
}

// Report is what a Record knows at one moment.
type Report struct {
	Entries []Entry // ordered by operation, status, pointer and kind
	Dropped int     // departures of requests, the same ones too, that found no room
}

// Record keeps account of departures: each once, however often it is seen. It is safe
// for concurrent use, and the zero value is empty.
type Record struct {
	mu      sync.Mutex
	entries map[key]*counted
	latest  *counted // the last one that was counted; at first one of no departure
	dropped int
}

// counted is an entry and the one that followed it the last time. Requests of a kind depart alike, so
// that the same one is likely to follow again.
type counted struct {
	Entry
	next *counted
}

// key identifies a departure.
type key struct {
	operation     string
	status        int
	pointer, kind string
}

func (d *Departure) key() key { return key{d.Operation, d.Status, d.Pointer, d.Kind} }

// Add counts the departures of one request, which lists each of them once. It returns those
// that are new.
func (r *Record) Add(seen Sighting, departures []Departure) []Departure {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries, r.latest = map[key]*counted{}, &counted{}
	}
	var fresh []Departure
	for i := range departures {
		departure := &departures[i]
		entry := r.find(departure)
		switch {
		case entry == nil && len(r.entries) == Limit:
			r.dropped++
			continue
		case entry == nil:
			entry = &counted{Entry: Entry{Departure: *departure, First: seen}}
			r.entries[departure.key()] = entry
			fresh = append(fresh, *departure)
		}
		entry.Requests++
		entry.Last = seen
		r.latest.next, r.latest = entry, entry
	}
	return fresh
}

// find looks for the entry of a departure behind the last one before it searches the map.
func (r *Record) find(departure *Departure) *counted {
	key := departure.key()
	if likely := r.latest.next; likely != nil && likely.key() == key {
		return likely
	}
	return r.entries[key]
}

// Clear forgets what has been taken down.
func (r *Record) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries, r.latest, r.dropped = nil, nil, 0
}

// Report returns what has been taken down.
func (r *Record) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{Dropped: r.dropped}
	for _, entry := range r.entries {
		report.Entries = append(report.Entries, entry.Entry)
	}
	slices.SortFunc(report.Entries, func(a, b Entry) int {
		return cmp.Or(
			strings.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Status, b.Status),
			strings.Compare(a.Pointer, b.Pointer),
			strings.Compare(a.Kind, b.Kind),
		)
	})
	return report
}
