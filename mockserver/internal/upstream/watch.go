package upstream

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	// listInterval is how often orchestratord is asked for its list, while nodes send heartbeats.
	listInterval = 5 * time.Second
	// listTimeout is how long the list may take.
	listTimeout = 30 * time.Second
)

// Watch compares orchestratord's list of nodes with what the traffic says of them. A node whose
// heartbeats are accepted, and that is not listed, gets no work. The orchestratord in service
// treats one so that it has counted as Offline before.
type Watch struct {
	WatchConfig
	end     context.CancelFunc
	running sync.WaitGroup

	comparing sync.Mutex // held for one list at a time

	mu      sync.Mutex
	state   State
	missing map[nodeapi.NodeID]time.Time // since when
}

// WatchConfig is what a watch acts on.
type WatchConfig struct {
	Upstream *Upstream
	Cluster  *cluster.Cluster
	Clock    *clock.Clock
	Journal  *journal.Journal
	Drift    *drift.Record // of orchestratord
	Log      *slog.Logger
}

// State is what was found when the list was last asked for.
type State struct {
	Listed  int       // nodes, when the list could last be had
	At      time.Time // when that was; zero for never
	Problem string    // why it could not be had since; "" if it could
	Missing []Missing // ordered by id
}

// Missing is a node whose heartbeats are accepted, and that is not listed.
type Missing struct {
	ID    nodeapi.NodeID
	Since time.Time
}

// NewWatch returns a watch that compares the lists that CompareList gets. Ask has it ask for them.
func NewWatch(config WatchConfig) *Watch {
	return &Watch{WatchConfig: config, end: func() {}, missing: map[nodeapi.NodeID]time.Time{}}
}

// Ask begins to ask orchestratord for its list, now and then, until Close.
func (w *Watch) Ask() {
	ctx, end := context.WithCancel(context.Background())
	w.end = end
	w.running.Go(func() { w.run(ctx) })
}

// Close ends the watch, and the connections that wait for a request. Closing again does nothing.
func (w *Watch) Close() {
	w.end()
	w.running.Wait()
	client := http.Client{Transport: w.Upstream.Transport}
	client.CloseIdleConnections()
}

// State returns what is known.
func (w *Watch) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := w.state
	for _, id := range slices.Sorted(maps.Keys(w.missing)) {
		state.Missing = append(state.Missing, Missing{id, w.missing[id]})
	}
	return state
}

// Clear forgets what was found.
func (w *Watch) Clear() {
	w.comparing.Lock() // or what is being compared would come back
	defer w.comparing.Unlock()
	w.replace(map[nodeapi.NodeID]time.Time{})
	w.note(State{})
}

// MissingSince returns since when a node is missing from the list. It reports false if it is not.
func (w *Watch) MissingSince(id nodeapi.NodeID) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, missing := w.missing[id]
	return since, missing
}

func (w *Watch) run(ctx context.Context) {
	ticks := time.NewTicker(listInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			w.look(ctx)
		}
	}
}

// look asks for the list once, if there is a node to look for.
func (w *Watch) look(ctx context.Context) {
	asked := w.Clock.Now()
	owed := func(node registry.Node) bool { return w.owes(node, asked) }
	if !slices.ContainsFunc(w.Cluster.Nodes(), owed) {
		w.compare(nil, asked)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	listed, err := w.Upstream.list(ctx)
	if err != nil {
		w.fail(ctx, err)
		return
	}
	w.compare(listed, asked)
}

// CompareList compares a list that orchestratord was asked for at a time, and has answered now, with what the
// traffic says. One that cannot be read says nothing.
func (w *Watch) CompareList(list io.Reader, asked time.Time) {
	if listed, err := idsIn(list); err == nil {
		w.compare(listed, asked)
	}
}

// owes reports whether a list that was asked for at a time has to have a node: one that is Online
// since before. One that has registered since is only listed from its next heartbeat on.
func (w *Watch) owes(node registry.Node, asked time.Time) bool {
	return node.Status == nodeapi.NodeStatusOnline && !w.silent(node, asked) &&
		node.History[len(node.History)-1].At.Before(asked)
}

// silent reports whether a node was not heard of within half of the node timeout. It may be about to
// go Offline.
func (w *Watch) silent(node registry.Node, asked time.Time) bool {
	return node.Heard.Before(asked.Add(-w.Cluster.Timeout() / 2))
}

// fail notes that there is no list. The nodes that were missing still count as such.
func (w *Watch) fail(ctx context.Context, err error) {
	problem := foreign.Line(err.Error())
	w.mu.Lock()
	known := w.state.Problem == problem
	w.state.Problem = problem
	w.mu.Unlock()
	if !known && context.Cause(ctx) != context.Canceled {
		w.Log.LogAttrs(ctx, slog.LevelWarn, "list of orchestratord cannot be compared", slog.String("error", problem))
	}
}

// compare takes down which nodes are missing from a list that was asked for at a time; nil for none.
func (w *Watch) compare(listed map[nodeapi.NodeID]bool, asked time.Time) {
	w.comparing.Lock()
	defer w.comparing.Unlock()
	now, nodes := w.Clock.Now(), w.Cluster.Nodes()
	missing := map[nodeapi.NodeID]time.Time{}
	for _, node := range nodes {
		if id := node.Registration.NodeID; !listed[id] && w.owes(node, asked) {
			missing[id] = cmp.Or(w.missing[id], now)
		}
	}
	before := w.replace(missing)
	if listed != nil {
		w.note(State{Listed: len(listed), At: now})
	}
	for _, node := range nodes {
		id := node.Registration.NodeID
		_, was := before[id]
		switch _, is := missing[id]; {
		case is:
			w.lack(node, was)
		case was && listed[id]:
			w.say(slog.LevelInfo, node, "node is no longer missing from the list of orchestratord")
		case was && w.silent(node, asked):
			w.say(slog.LevelInfo, node, "node that is not listed by orchestratord no longer beats")
		} // another has registered again, or drains, which the journal says
	}
}

// replace makes these nodes those that are missing, and returns those that were.
func (w *Watch) replace(missing map[nodeapi.NodeID]time.Time) (before map[nodeapi.NodeID]time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, w.missing = w.missing, missing
	return before
}

// note makes this what was found in a list.
func (w *Watch) note(state State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
}

// lack counts a node that is not listed, and says so if that was not known.
func (w *Watch) lack(node registry.Node, known bool) {
	seen := drift.Sighting{NodeID: node.Registration.NodeID, At: w.Clock.Now()}
	fresh := w.Drift.Add(seen, []drift.Departure{unlisted})
	if !known {
		w.say(slog.LevelWarn, node, "node beats and is not listed by orchestratord")
	}
	if len(fresh) > 0 {
		w.Log.Warn("orchestratord departs from the contract", "departure", unlisted.String())
	}
}

func (w *Watch) say(level slog.Level, node registry.Node, message string) {
	w.Log.LogAttrs(context.Background(), level, message, cluster.Attrs(node)...)
	w.Journal.Control(w.Clock.Now(), fmt.Sprintf("%s: %s", node.Registration.NodeID, message))
}

// unlisted is how an orchestratord departs that accepts heartbeats and does not list the node.
var unlisted = drift.Departure{
	Operation: listOperation, Status: 200, Kind: drift.Unlisted, Pointer: "/nodes",
	Expected: "must have each node whose heartbeats are accepted", Got: "not this one",
}
