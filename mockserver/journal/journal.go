// Package journal is a ring buffer of the last things that happened to a mock orchestratord.
// They are requests with their answers, changes of nodes, and calls of the control API. It
// returns entries in the types of that API, and checks expectations of them. It does no I/O,
// and starts nothing but what wakes those who wait for entries.
//
//	events := journal.New(journal.DefaultSize)
//	events.Exchange(journal.Exchange{Operation: control.OperationHeartbeatNode, Node: "gpu-node-1", Status: 200})
//	page := events.Page(journal.Filter{Node: "gpu-node-*"}, 100)
//	fmt.Println(page.Entries[0].Summary) // heartbeatNode gpu-node-1 200
//
// Secrets are masked when an entry is written, not when it is read: see Exchange.
package journal

import (
	"net/http"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// DefaultSize is how many entries the journal of a server keeps. They take 1 MB or so,
// and never more than DefaultSize times MaxEntryBytes.
const DefaultSize = 1000

// Journal is a ring of entries that are numbered from 1 without gaps. When it is full,
// each new one takes the place of the oldest. It is safe for concurrent use, and whoever
// reads never holds up for long who writes.
type Journal struct {
	// One lock is enough: writing an entry takes a few hundred nanoseconds, of a
	// request that takes some twenty microseconds.
	mu      sync.Mutex
	ring    []record // the entry with sequence n is at n modulo the length
	last    int64    // sequence of the newest entry
	cleared int64    // sequence of the newest entry that was cleared away

	listeners *listeners
}

// New returns an empty journal that keeps size entries. With 0 it only numbers them.
func New(size int) *Journal {
	return &Journal{ring: make([]record, size), listeners: newListeners()}
}

// Exchange is a request and its answer. The journal copies what it keeps, up to some length of
// each part.
//
// Credentials are masked by asterisks (CLOUD-4013). A header or a body field holds one if its
// name says so, by a word such as token, key or pass. So does a header that begins like Bearer.
// A credential is masked wherever it or a part of it occurs again in the exchange, also in JSON
// or URL escapes. Credentials shorter than four characters are not recognised elsewhere.
type Exchange struct {
	At            time.Time // by the mock's clock, when the answer was ready
	Took          time.Duration
	Operation     control.Operation // "" for a request that fits none
	Node          nodeapi.NodeID    // that the request is about; "" without a valid id
	CorrelationID nodeapi.CorrelationID

	Method        string
	Path          string // as escaped, without the query
	Query         string // of the URL
	RequestHeader http.Header
	RequestBody   []byte // as far as it was read
	RequestBytes  int    // how many bytes that was, if RequestBody is but the first of them
	Vetted        bool   // whether the document names everything in it, so that no field is a credential

	Status       int // of the answer, 0 if there was none
	AnswerHeader http.Header
	AnswerBody   []byte
	AnswerBytes  int // how many bytes the body had, if AnswerBody is but the first of them

	Fault      string            // that acted on the request, if one did
	Remark     string            // what else is out of the ordinary, for the summary
	Departures []drift.Departure // of the request

	Relayed          bool              // whether another orchestratord than the mock has answered
	AnswerDepartures []drift.Departure // if so
}

// Exchange adds a request and its answer.
func (j *Journal) Exchange(e Exchange) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.add(control.EntryKindExchange, e.At); r != nil {
		r.exchange(&e)
	}
}

// Change adds a change of a node's status. One that was not registered before has no
// status to come from, and one that is no longer registered none to go to.
func (j *Journal) Change(node nodeapi.NodeID, at time.Time, from, to nodeapi.NodeStatus) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.add(control.EntryKindChange, at); r != nil {
		r.change(node, from, to)
	}
}

// Control adds what is neither an exchange nor a change of one node's status. Most of that is done through
// the control API. The summary is kept as it is: it must have no secrets in it.
func (j *Journal) Control(at time.Time, summary string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.add(control.EntryKindControl, at); r != nil {
		r.control(summary)
	}
}

// add numbers a new entry and returns the place for it, or nil when nothing is kept.
// Those who listen are woken by another goroutine, so that an entry costs the same
// however many they are.
func (j *Journal) add(kind control.EntryKind, at time.Time) *record {
	j.last++
	j.listeners.announce()
	if len(j.ring) == 0 {
		return nil
	}
	r := j.at(j.last)
	r.begin(j.last, kind, at)
	return r
}

func (j *Journal) at(sequence int64) *record {
	return &j.ring[sequence%int64(len(j.ring))]
}

// oldest returns the sequence of the oldest entry that is kept, or would be if there
// were one.
func (j *Journal) oldest() int64 {
	return max(j.cleared, j.last-int64(len(j.ring))) + 1
}

// Clear removes all entries. The next one is numbered as if they were still there.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cleared = j.last
}

// Counts returns how full the journal is. Dropped are entries that made room for others, not
// those that were cleared away.
func (j *Journal) Counts() control.JournalCounts {
	j.mu.Lock()
	defer j.mu.Unlock()
	oldest := j.oldest()
	return control.JournalCounts{Last: j.last, Kept: j.last + 1 - oldest, Dropped: oldest - 1 - j.cleared}
}
