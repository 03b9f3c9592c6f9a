package registration_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// What the promises are held to.
const (
	simInterval = 10 * time.Second // at least: a world may have a longer one
	calm        = 4 * time.Minute  // longer than anything that orchestratord can ask for
)

// world is everything around the nodes: an orchestratord that comes and goes, and
// the weather on the network, both laid down beforehand from the seed.
type world struct {
	t        *testing.T
	seed     uint64
	begin    time.Time
	interval time.Duration // between heartbeats, up to nearly half of the node timeout
	storms   []storm
	nodes    []*simNode
	requests atomic.Int64
	running  sync.WaitGroup

	mu     sync.Mutex
	mock   *mockserver.Server
	passed int // storms whose restart of orchestratord has been made
	log    bytes.Buffer
}

// storm is a time in which things go wrong, followed by a calm.
type storm struct {
	from, to     time.Duration
	faults       float64       // share of the requests that meet one
	down, up     time.Duration // orchestratord is away in between
	amnesia      bool          // and comes back with an empty registry
	rotation     time.Duration // orchestratord wants the next token from here on
	partitioned  []int         // nodes that reach nobody
	clockStep    time.Duration // clocks on the wall are put forward by this
	badCallbacks bool          // status callbacks block, fail and panic
}

func newWorld(t *testing.T, seed uint64, nodes int, duration time.Duration) *world {
	w := &world{t: t, seed: seed, begin: time.Now(), interval: simInterval + time.Duration(seed%3)*2*time.Second}
	random := rand.New(rand.NewPCG(seed, 0))
	for from := calm; ; {
		s := newStorm(random, from, nodes)
		if from = s.to + calm; from > duration {
			break
		}
		w.storms = append(w.storms, s)
	}
	w.mock = w.newMock()
	for i := range nodes {
		w.nodes = append(w.nodes, newSimNode(w, i, duration))
	}
	return w
}

func newStorm(random *rand.Rand, from time.Duration, nodes int) storm {
	s := storm{from: from, to: from + span(random, 30*time.Second, 4*time.Minute), faults: random.Float64() * 0.7}
	within := func() time.Duration { return span(random, s.from, s.to) }
	if random.IntN(3) > 0 {
		s.down, s.up = within(), within()
		if s.down > s.up {
			s.down, s.up = s.up, s.down
		}
		s.amnesia = random.IntN(2) == 0
	}
	if random.IntN(3) == 0 {
		s.rotation = within()
	}
	if random.IntN(2) == 0 {
		for i := range nodes {
			if random.IntN(3) == 0 {
				s.partitioned = append(s.partitioned, i)
			}
		}
	}
	if random.IntN(4) == 0 {
		s.clockStep = span(random, time.Second, 2*time.Hour)
	}
	s.badCallbacks = random.IntN(2) == 0
	return s
}

func span(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Int64N(int64(to-from)))
}

func (w *world) newMock() *mockserver.Server {
	mock, err := mockserver.New(mockserver.WithHeartbeatInterval(w.interval))
	if err != nil {
		w.t.Fatal(err)
	}
	return mock
}

// weather returns the storm that rages now, nil in a calm.
func (w *world) weather() *storm {
	now := time.Since(w.begin)
	for i, s := range w.storms {
		if s.from <= now && now < s.to {
			return &w.storms[i]
		}
	}
	return nil
}

// calmSince returns when the last storm ended.
func (w *world) calmSince() time.Time {
	since, now := w.begin, time.Since(w.begin)
	for _, s := range w.storms {
		if s.to <= now {
			since = w.begin.Add(s.to)
		}
	}
	return since
}

// orchestratord returns the one that is there now, nil while it is away. One that
// has lost its memory is another one.
func (w *world) orchestratord() *mockserver.Server {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.begin)
	for ; w.passed < len(w.storms) && w.storms[w.passed].up <= now && w.storms[w.passed].from <= now; w.passed++ {
		if w.storms[w.passed].amnesia {
			w.mock.Close()
			w.mock = w.newMock()
		}
	}
	if s := w.weather(); s != nil && s.down <= now && now < s.up {
		return nil
	}
	return w.mock
}

// token returns the one that orchestratord wants, or that a node has by now: it
// gets a new one late, but before the calm.
func (w *world) token(late time.Duration) string {
	now, generation := time.Since(w.begin), 0
	for _, s := range w.storms {
		if s.rotation > 0 && now >= min(s.rotation+late, s.to) {
			generation++
		}
	}
	return fmt.Sprintf("%s-%d", token, generation)
}

// clock returns what the clock on the wall shows.
func (w *world) clock() time.Time {
	now, step := time.Since(w.begin), time.Duration(0)
	for _, s := range w.storms {
		if now >= s.from {
			step += s.clockStep
		}
	}
	return time.Now().Add(step)
}

// check holds the world to the promises, as it is now.
func (w *world) check() {
	onRecord := map[string]registry.Node{}
	if mock := w.orchestratord(); mock != nil {
		for _, node := range mock.Nodes() {
			onRecord[node.Registration.NodeID] = node
		}
	}
	for _, n := range w.nodes {
		node, known := onRecord[n.id]
		n.check(node, known)
	}
}

// end takes every node down and looks at what is left.
func (w *world) end() {
	for _, n := range w.nodes {
		n.quit()
	}
	w.running.Wait()
	time.Sleep(time.Minute)
	w.check()
	for _, n := range w.nodes {
		n.checkPace()
	}
	w.mock.Close()
	if strings.Contains(w.log.String(), token) {
		w.t.Error("a token is in the log")
	}
}

// violated reports a broken promise, once for each node: what follows is noise.
func (w *world) violated(n *simNode, format string, args ...any) {
	if n.blamed {
		return
	}
	n.blamed = true
	w.t.Errorf("seed %d, %v: node %s: %s", w.seed, time.Since(w.begin), n.id, fmt.Sprintf(format, args...))
}

// Write is where the nodes log to.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

func (w *world) summary() string {
	counts := map[string]int{}
	for _, n := range w.nodes {
		for _, s := range n.sent {
			counts[s.fault]++
		}
	}
	return fmt.Sprintf("%d storms, met %v", len(w.storms), counts)
}

// pending reports whether what orchestratord answered last makes a node wait, by
// right: it asked for a pause, or the node was told off.
func pending(s registration.Status) bool {
	var e *registration.Error
	return errors.As(s.LastError, &e) && (e.RetryAfter > 0 ||
		slices.ContainsFunc([]error{registration.ErrUnauthorized, registration.ErrRefused, registration.ErrUnknownNode},
			func(kind error) bool { return errors.Is(e, kind) }))
}

// online reports whether a node's record is as it should be.
func online(node registry.Node, slots int32) bool {
	return node.Status == nodeapi.NodeStatusOnline && len(node.Pools) == 1 && node.Pools[0].SlotsFree == slots
}
