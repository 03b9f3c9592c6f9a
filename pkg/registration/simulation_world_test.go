package registration_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// simInterval is the interval of a node that is directed no other.
const simInterval = 10 * time.Second

// world is everything around the nodes: an orchestratord that comes and goes, and the
// weather on the network, both laid down beforehand from the seed.
type world struct {
	t          *testing.T
	seed       uint64
	begin      time.Time
	storms     []storm
	directions []direction
	service    *service
	nodes      []*simNode
	timeout    time.Duration // after which orchestratord gives a node up, 0 for the default
	draws      *draws
	requests   atomic.Int64
	running    sync.WaitGroup

	mu      sync.Mutex
	passed  int // storms whose restart of orchestratord has been made
	stepped int // storms whose step of orchestratord's clock has been made
	log     bytes.Buffer
}

func newWorld(t *testing.T, seed uint64, nodes int, duration time.Duration, drawn *draws) *world {
	w := &world{t: t, seed: seed, begin: time.Now(), draws: drawn}
	random := rand.New(rand.NewPCG(seed, 0))
	for from := calm; ; {
		s := newStorm(random, from, nodes)
		if from = s.to + calm; from > duration-lastCalm {
			break
		}
		w.storms = append(w.storms, s)
	}
	w.directions = newDirections(random, duration)
	if random.IntN(2) == 0 {
		w.timeout = span(random, 21*time.Second, 2*time.Minute)
	}
	w.service = newService(t, w.dialect(), w.timeout, w.asks)
	for i := range nodes {
		w.nodes = append(w.nodes, newSimNode(w, i, duration, false))
	}
	w.nodes = append(w.nodes, newSimNode(w, nodes, duration, true))
	return w
}

// dialect returns that of orchestratord: every other world has the one in service.
func (w *world) dialect() mockserver.Dialect {
	if w.seed%2 == 0 {
		return mockserver.InService
	}
	return mockserver.Document
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

// orchestratord returns the one that is there now, nil while it is away. One that has lost
// its memory has an empty registry.
func (w *world) orchestratord() *service {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.begin)
	for ; w.stepped < len(w.storms) && w.storms[w.stepped].from <= now; w.stepped++ {
		w.service.step(w.storms[w.stepped].serviceStep)
	}
	for ; w.passed < len(w.storms) && max(w.storms[w.passed].up, w.storms[w.passed].from) <= now; w.passed++ {
		if w.storms[w.passed].amnesia {
			w.service.forget()
		}
	}
	if s := w.weather(); s != nil && s.down <= now && now < s.up {
		return nil
	}
	return w.service
}

// asks returns the interval that orchestratord directs now, in milliseconds.
func (w *world) asks() (ms int64) {
	now := time.Since(w.begin)
	for _, d := range w.directions {
		if d.from <= now {
			ms = d.ms
		}
	}
	return ms
}

// token returns the one that orchestratord accepts, or that a node has by now: it gets a new
// one late.
func (w *world) token(late time.Duration) string {
	now, generation := time.Since(w.begin), 0
	for _, s := range w.storms {
		if s.rotation > 0 && now >= s.rotation+late {
			generation++
		}
	}
	return fmt.Sprintf("%s-%d", token, generation)
}

// rotates returns when a node gets its next token, zero for never.
func (w *world) rotates(after time.Time, late time.Duration) time.Time {
	for _, s := range w.storms {
		if at := w.begin.Add(s.rotation + late); s.rotation > 0 && at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// clock returns what the nodes' clock on the wall shows.
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
	w.orchestratord() // whose clock may have to be put
	for _, n := range w.nodes {
		n.check()
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
	if before, after, found := strings.Cut(w.log.String(), token); found {
		line := before[strings.LastIndex(before, "\n")+1:] + "[token]"
		w.t.Errorf("a token is in the log: %s%s", line, after[:strings.Index(after, "\n")])
	}
}

// violated reports a broken promise, once for each node: what follows is noise.
func (w *world) violated(n *simNode, format string, args ...any) {
	if n.blamed.CompareAndSwap(false, true) {
		w.t.Errorf("seed %d, %v: node %s: %s", w.seed, time.Since(w.begin), n.name, fmt.Sprintf(format, args...))
	}
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
	return fmt.Sprintf("%s, %d storms, met %v", w.dialect(), len(w.storms), counts)
}
