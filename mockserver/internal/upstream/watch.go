package upstream

import (
	"context"
	"fmt"
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
// heartbeats are accepted, and that is not listed, gets no work: the orchestratord in service
// treats one so that it has counted as Offline before.
type Watch struct {
	WatchConfig
	end     context.CancelFunc
	running sync.WaitGroup

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

// NewWatch begins to watch. Close ends it.
func NewWatch(config WatchConfig) *Watch {
	ctx, end := context.WithCancel(context.Background())
	w := &Watch{WatchConfig: config, end: end, missing: map[nodeapi.NodeID]time.Time{}}
	w.running.Go(func() { w.run(ctx) })
	return w
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
	beating := w.beating()
	if len(beating) == 0 {
		w.note(nil)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	listed, err := w.Upstream.list(ctx)
	if err != nil {
		w.fail(ctx, err)
		return
	}
	w.mu.Lock()
	w.state = State{Listed: len(listed), At: w.Clock.Now()}
	w.mu.Unlock()
	w.note(slices.DeleteFunc(beating, func(node registry.Node) bool {
		return listed[node.Registration.NodeID] || !w.stillBeats(node)
	}))
}

// beating returns the nodes that are Online and were heard of within half of the node timeout. One
// that has been silent for longer may be about to go Offline.
func (w *Watch) beating() []registry.Node {
	heard := w.Clock.Now().Add(-w.Cluster.Timeout() / 2)
	return slices.DeleteFunc(w.Cluster.Nodes(), func(node registry.Node) bool {
		return node.Status != nodeapi.NodeStatusOnline || node.LastHeartbeat.Before(heard)
	})
}

// stillBeats reports whether a node is as it was before the list was asked for. One that has
// registered since is only listed from its next heartbeat on.
func (w *Watch) stillBeats(before registry.Node) bool {
	node, known := w.Cluster.Node(before.Registration.NodeID)
	return known && node.Status == nodeapi.NodeStatusOnline && node.RegisteredAt.Equal(before.RegisteredAt)
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

// note takes down which nodes are missing from the list now.
func (w *Watch) note(missing []registry.Node) {
	now := w.Clock.Now()
	before := w.replace(missing, now)
	for _, node := range missing {
		id := node.Registration.NodeID
		fresh := w.Drift.Add(drift.Sighting{NodeID: id, At: now}, []drift.Departure{unlisted})
		if _, known := before[id]; known {
			delete(before, id)
			continue
		}
		w.say(slog.LevelWarn, node, "node beats and is not listed by orchestratord")
		if len(fresh) > 0 {
			w.Log.Warn("orchestratord departs from the contract", "departure", unlisted.String())
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if node, known := w.Cluster.Node(id); known {
			w.say(slog.LevelInfo, node, "node is no longer missing from the list of orchestratord")
		}
	}
}

// replace makes these nodes those that are missing, and returns those that were.
func (w *Watch) replace(missing []registry.Node, now time.Time) map[nodeapi.NodeID]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.missing
	w.missing = map[nodeapi.NodeID]time.Time{}
	for _, node := range missing {
		id := node.Registration.NodeID
		since, known := before[id]
		if !known {
			since = now
		}
		w.missing[id] = since
	}
	return maps.Clone(before)
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
