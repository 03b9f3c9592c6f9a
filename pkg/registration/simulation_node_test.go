package registration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// simNode is the program around a node: it starts it, ends it at some time, perhaps starts
// it again, and again when its life ends with an error.
type simNode struct {
	world     *world
	index     int
	id        string
	name      string        // for people: two nodes may have one id
	rival     bool          // has the id of another node, and another machine
	late      time.Duration // by which it gets a new token
	slow      time.Duration // that an answer takes at the most
	behaviour behaviour     // of its status callback
	periods   []period
	ctx       context.Context
	quit      context.CancelFunc
	random    *rand.Rand // of the network
	callback  *rand.Rand // of the status callback
	chance    *rand.Rand // of the node's own jitter
	changes   *rand.Rand // of its pools
	plans     *rand.Rand // of how it is configured and used
	blamed    atomic.Bool

	mu   sync.Mutex
	life *life // the present one or the last, nil before the first
	sent []sending
}

// period is a time in which the program runs.
type period struct{ from, to time.Duration }

func newSimNode(w *world, index int, duration time.Duration, rival bool) *simNode {
	n := &simNode{world: w, index: index, id: fmt.Sprintf("gpu-node-%d", index), rival: rival}
	n.name = n.id
	if rival {
		n.id, n.name = "gpu-node-0", "rival of gpu-node-0"
	}
	for i, stream := range []**rand.Rand{&n.random, &n.callback, &n.chance, &n.changes, &n.plans} {
		*stream = rand.New(rand.NewPCG(w.seed, uint64(8*index+i+1)))
	}
	n.ctx, n.quit = context.WithCancel(context.Background())
	n.late = span(n.random, 0, time.Minute)
	n.slow = []time.Duration{20, 20, 200, 800, 3000}[n.random.IntN(5)] * time.Millisecond
	n.behaviour = behaviours[n.random.IntN(len(behaviours))]
	from := span(n.random, 0, time.Minute)
	for from < duration {
		to := duration
		if n.random.IntN(4) > 0 {
			to = from + span(n.random, time.Second, 12*time.Minute)
		}
		n.periods = append(n.periods, period{from, to})
		from = to + span(n.random, time.Second, 5*time.Minute)
	}
	return n
}

// live is the program around the node.
func (n *simNode) live() {
	for _, p := range n.periods {
		if !n.sleep(n.ctx, p.from-time.Since(n.world.begin)) {
			return
		}
		ctx, cancel := context.WithTimeout(n.ctx, p.to-time.Since(n.world.begin))
		for ctx.Err() == nil {
			newLife(n).run(ctx)
			n.sleep(ctx, 5*time.Second) // as a supervisor does
		}
		cancel()
	}
}

func (n *simNode) sleep(ctx context.Context, d time.Duration) (whole bool) {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// meets draws what a request will meet.
func (n *simNode) meets(op string) (fault string) {
	n.world.requests.Add(1)
	if s := n.world.weather(); s != nil && n.random.Float64() < s.share {
		fault = s.faults[n.random.IntN(len(s.faults))]
	}
	switch {
	case op != "deregister":
	case fault == "404", fault == "no success", fault == "204":
		fault = "500" // a 404 that is a lie makes a node believe that it has left
	case fault == "stalled answer", fault == "cut answer", fault == "garbage":
		fault = "lost answer" // which has no body
	}
	return fault
}

// delay is how long a request or an answer takes.
func (n *simNode) delay(late bool) time.Duration {
	if late {
		return span(n.random, 0, 10*time.Second)
	}
	return span(n.random, time.Millisecond, n.slow)
}

// check holds the node to the promises at a moment at which nothing moves.
func (n *simNode) check() {
	n.mu.Lock()
	l := n.life
	n.mu.Unlock()
	if l != nil {
		l.check()
	}
}

// checkPace holds what was sent to what a well-behaved node sends at most.
func (n *simNode) checkPace() {
	for _, limit := range []struct {
		window time.Duration
		most   int
	}{{time.Second, 10}, {10 * time.Second, 50}} {
		for i := limit.most; i < len(n.sent); i++ {
			if n.sent[i].at.Sub(n.sent[i-limit.most].at) < limit.window {
				n.world.violated(n, "sent more than %d requests in %v: %v", limit.most, limit.window,
					n.sent[i-limit.most:i+1])
				return
			}
		}
	}
}
