package conformance

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/contracts/internal/target"
)

const (
	// cleanupTimeout is how long the removal of the run's nodes may take at most.
	cleanupTimeout = 10 * time.Second
	// cleaners is how many nodes are removed at once.
	cleaners = 8
)

// errTime ends a run whose time is over. Its text comes after the time: "the time of 2m0s is over".
var errTime = errors.New("is over")

// errEnough ends a run that stops at its first finding.
var errEnough = errors.New("a departure was found")

// errBasics ends a run in which no node can live.
var errBasics = errors.New("a plain node cannot live, so nothing else was asked")

// errThrottled ends a run whose calls orchestratord throttles.
var errThrottled = errors.New("orchestratord answers 429 again and again, and cannot be asked")

// errSlow ends a run in which most heartbeats or registrations take too long.
var errSlow = errors.New("most calls take too long")

// run is one run against one orchestratord. Callers that run at once share it: mu guards the
// fields below it.
type run struct {
	options Options
	doc     *document
	prober  *prober
	prefix  string // of the names of all nodes of this run
	clock   skew
	paces   map[string]*pace // by operation
	sends   map[string]any   // the result of nodeSends, which no two checks call at once
	elder   elder

	throttled atomic.Int64 // how many calls got 429
	waited    atomic.Int64 // for them, in nanoseconds

	mu       sync.Mutex
	report   *Report
	nodes    map[string]bool        // that may be registered
	madeUp   map[string]bool        // correlation ids that orchestratord has made up
	sound    map[*operation]*answer // the last success in which nothing was found
	names    int                    // how many were given
	interval time.Duration          // after which orchestratord expects a heartbeat; zero when unknown
	silent   int                    // calls in a row without an answer
	stopped  error                  // why no more calls are made

	turning chan struct{} // is full while a caller finds out whether orchestratord has turned
}

func newRun(o Options) (*run, error) {
	doc, err := compiledIn()
	if len(o.Document) > 0 {
		doc, err = readDocument(o.Document)
	}
	if err != nil {
		return nil, err
	}
	p, err := newProber(o)
	if err != nil {
		return nil, err
	}
	return &run{
		options: o, doc: doc, prober: p,
		prefix: "conform-" + strings.ToLower(rand.Text()[:8]),
		nodes:  map[string]bool{},
		madeUp: map[string]bool{},
		sound:  map[*operation]*answer{},
		paces:  newPaces(),
		report: &Report{URL: o.URL, Level: o.Level, Seed: o.Seed},

		turning: make(chan struct{}, 1),
	}, nil
}

// name returns an id that no node has had.
func (r *run) name() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names++
	return fmt.Sprintf("%s-%d", r.prefix, r.names)
}

func (r *run) owns(id string) bool { return strings.Contains(strings.ToLower(id), r.prefix) }

// remember records that a node may be registered, so that cleanup removes it. Once the run has stopped,
// none is: it makes no more calls.
func (r *run) remember(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == nil {
		r.nodes[id] = true
	}
}

func (r *run) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.nodes, id)
}

// stop keeps the run from making more calls.
func (r *run) stop(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = cmp.Or(r.stopped, why)
}

func (r *run) reason() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

// probe checks that an orchestratord answers.
func (r *run) probe(ctx context.Context) error {
	list := r.doc.operation(opList)
	a, err := r.prober.send(ctx, call{op: list})
	if err != nil {
		return fmt.Errorf("%s %s got no answer: %w", list.method, r.prober.base.Redacted()+list.path, err)
	}
	switch {
	case a.status == http.StatusSwitchingProtocols:
		return errors.New("orchestratord answers 101: it switches to another protocol")
	case a.long:
		return fmt.Errorf("orchestratord answers with a list of more than %d bytes", maxList)
	}
	if why := target.Refusal(a.status, r.prober.token); why != "" {
		return fmt.Errorf("orchestratord answers %d: %s", a.status, why)
	}
	return nil
}

// cleanup removes all nodes that may still be registered, even if ctx has ended. It gives up
// after a few calls without an answer.
func (r *run) cleanup(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.options.cleanupTime())
	defer cancel()
	left := make(chan string, len(r.nodes))
	for _, id := range slices.Sorted(maps.Keys(r.nodes)) {
		left <- id
	}
	close(left)
	var group sync.WaitGroup
	for range cleaners {
		group.Go(func() {
			for id := range left {
				if !r.remove(ctx, id) {
					return
				}
			}
		})
	}
	group.Wait()
}

// remove removes a node at the end of a run. It returns false if there was no answer.
func (r *run) remove(ctx context.Context, id string) (answered bool) {
	a, err := r.prober.send(ctx, call{op: r.doc.operation(opDeregister), node: id})
	if err == nil && (a.status/100 == 2 || a.status == http.StatusNotFound) {
		r.forget(id)
	}
	return err == nil
}

// random returns a random source for one purpose. The same seed gives the same source.
func (r *run) random(purpose int) *mathrand.Rand {
	return mathrand.New(mathrand.NewPCG(r.options.Seed, uint64(purpose)))
}
