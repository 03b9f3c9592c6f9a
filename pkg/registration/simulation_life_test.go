package registration_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// life is one life of a node, from New to its end, and all that can be seen of it. It feeds
// the oracle, and compares.
type life struct {
	node   *simNode
	config registration.Config
	way    string // in which the program uses the node
	real   *registration.Node
	open   atomic.Int64 // bodies that were not closed

	mu        sync.Mutex
	oracle    *oracle
	pools     *pools
	starts    int // of heartbeats
	described registration.Description
	steps     time.Duration // of the clock on the wall, at the last attempt
	current   *http.Request // in flight
	expected  []expected
	happened  []registration.Event
	state     registration.State
	spoke     registration.State // before it fell silent
	over      bool
	lastID    string   // that a request was sent with
	carried   []byte   // the last heartbeat
	announced []string // the pools of the last registration
	begun     time.Time
	listed    time.Time // when orchestratord last gave it work
}

// ways are how programs use a node.
var ways = []string{
	"Run", "Run and drain", "Register, Run", "StartHeartbeat, Deregister", "StartHeartbeat, Stop",
	"StartHeartbeat twice, Deregister",
}

func newLife(n *simNode) *life {
	l := &life{node: n, way: ways[n.plans.IntN(len(ways))], state: registration.StateNew, begun: time.Now()}
	l.config = newSimConfig(n.plans, n.world.timeout)
	l.config.NodeID = n.id
	if n.rival {
		l.config.MachineID = "machine-intruder"
	}
	l.config.APIToken = l.token
	l.config.HTTPClient = &http.Client{Transport: l}
	l.config.Logger = slog.New(slog.NewTextHandler(n.world, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.config.OnEvent = l.happens
	l.config.Jitter = n.chance.Float64
	if l.way == "Run and drain" {
		l.config.Drain = l.drain
	}
	l.oracle = newOracle(l.config, func(after time.Time) time.Time { return n.world.rotates(after, n.late) })
	l.oracle.draws = n.world.draws.add
	l.described = registration.Description{
		Address: l.config.Address, Pools: l.config.Pools, Capabilities: l.config.Capabilities,
		Version: l.config.Version,
	}
	l.pools = newPools(l)
	l.steps = time.Until(n.world.clock())
	return l
}

// newSimConfig draws how a node is configured: by default for half of the nodes, where
// orchestratord has the default timeout.
func newSimConfig(random *rand.Rand, timeout time.Duration) registration.Config {
	c := registration.Config{
		MachineID: "machine-alpha", Address: "http://192.168.1.100:9200", OrchestratordURL: "http://orchestratord:8080",
		Pools:        []string{"pool-0", "pool-1"},
		Capabilities: registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		Version:      fmt.Sprintf("1.%d", random.IntN(10)),
	}
	c.RegisterEvery = []time.Duration{0, 0, -1, span(random, 30*time.Second, 2*time.Minute)}[random.IntN(4)]
	if timeout == 0 && random.IntN(2) == 0 {
		return c
	}
	c.NodeTimeout = cmp.Or(timeout, registration.DefaultNodeTimeout)
	if random.IntN(2) == 0 {
		c.HeartbeatInterval = span(random, 2*time.Second, c.NodeTimeout/2-1)
	}
	c.RequestTimeout = span(random, time.Second, min(20*time.Second, c.NodeTimeout))
	if random.IntN(2) == 0 {
		c.MaxBackoff = span(random, time.Second, c.NodeTimeout)
	}
	c.ShutdownTimeout = span(random, time.Second, 10*time.Second)
	return c
}

// run leads the life until ctx ends, or its own end.
func (l *life) run(ctx context.Context) {
	n := l.node
	node, err := registration.New(l.config)
	if err != nil {
		n.world.t.Fatal(err)
	}
	registration.SetWall(node, n.world.clock)
	l.real = node
	n.mu.Lock()
	n.life = l
	n.mu.Unlock()
	telling, stop := context.WithCancel(context.Background())
	var changes sync.WaitGroup
	changes.Go(func() { l.pools.change(telling) })
	switch l.way {
	case "Run", "Run and drain":
		l.runUntil(ctx)
	case "Register, Run":
		if l.register(ctx) == nil {
			l.runUntil(ctx)
		}
	default:
		l.beatUntil(ctx)
	}
	stop()
	changes.Wait()
	l.feed(func(now time.Time) string { l.over = true; return "" })
}

// feed informs the oracle, and reports what it finds wrong with it.
func (l *life) feed(tell func(now time.Time) string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if complaint := tell(time.Now()); complaint != "" {
		l.node.world.violated(l.node, "%s\n%s", complaint, l.story())
	}
}

// story says what led to a broken promise.
func (l *life) story() string {
	o, n := l.oracle, l.node
	n.mu.Lock()
	defer n.mu.Unlock()
	return fmt.Sprintf("it uses %s since %v, with an interval of %v, at most %v, timeouts of %v and %v, backoff %v, "+
		"registering every %v, and a callback that is %s; its last requests: %v",
		l.way, l.begun.Sub(n.world.begin), o.interval, o.ceiling, o.nodeTimeout, o.request, o.backoff,
		o.every, n.behaviour.name, n.sent[max(0, len(n.sent)-8):])
}

// status is the node's callback.
func (l *life) status(ctx context.Context) ([]registration.PoolStatus, error) {
	l.mu.Lock()
	l.looksAtClocks(time.Now())
	l.oracle.remember(time.Now())
	answer := l.pools.asked(time.Now())
	l.oracle.sampling, l.oracle.calling = time.Now(), true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.oracle.calling = false
		l.pools.answered(time.Now(), answer)
	}()
	if answer.takes > 0 {
		select {
		case <-time.After(answer.takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	switch {
	case answer.panics:
		panic("the callback is broken")
	case answer.err != nil:
		return nil, answer.err
	}
	return answer.status, nil
}

// token is the source of the node's token, which in a storm may fail or hang.
func (l *life) token(ctx context.Context) (string, error) {
	n := l.node
	never := (&http.Request{}).WithContext(ctx) // that would have been sent
	if s := n.world.weather(); s == nil || !s.badTokens || n.random.IntN(8) > 0 || !l.lacksToken(never) {
		return n.world.token(n.late), nil
	}
	if n.random.IntN(2) == 0 {
		<-ctx.Done()
	}
	l.hears(never, reply{verdict: failed, landed: didNot})
	return "", errors.New("no token here")
}

// lacksToken takes note of a request that is not sent since there is no token, and reports whether
// it is clear which one that is.
func (l *life) lacksToken(never *http.Request) (clear bool) {
	l.feed(func(now time.Time) string {
		l.settle(now)
		o := l.oracle
		if o.flight != nil || o.again != nil || o.paused || o.duty.why == "" ||
			strings.HasPrefix(o.duty.why, "refused") {
			return "" // it may look for a new token
		}
		sampled := o.begins(now)
		op, other, _ := o.owes(o.began(now, "heartbeat"))
		if clear = other == "" && sampled == (op == "heartbeat"); !clear {
			return ""
		}
		l.current = never
		if op != "deregister" {
			l.looksAtClocks(now)
		}
		if op == "heartbeat" {
			l.pools.sampled(now)
		}
		return o.sends(now, op, "")
	})
	return clear
}

// leaves takes note of a request that leaves the node.
func (l *life) leaves(r *http.Request, op string, body []byte, fault string) {
	l.node.mu.Lock()
	l.node.sent = append(l.node.sent, sending{op, time.Now(), fault})
	l.node.mu.Unlock()
	l.feed(func(now time.Time) string {
		l.settle(now)
		l.current = r
		if op != "deregister" {
			l.looksAtClocks(now)
		}
		if complaint := l.oracle.sends(now, op, r.Header.Get("Authorization")); complaint != "" {
			return complaint
		}
		return l.wrong(now, r, op, body)
	})
}

// looksAtClocks is when a node notices that the machine has slept.
func (l *life) looksAtClocks(now time.Time) {
	if l.oracle.sampling.IsZero() {
		steps := l.node.world.clock().Sub(now)
		l.oracle.slept(steps - l.steps)
		l.steps = steps
	}
}

// settle is the end of a request that the node has given up just now.
func (l *life) settle(now time.Time) {
	if r := l.current; r != nil && r.Context().Err() != nil {
		l.end(now, r, lostReply(r.Context().Err()))
	}
}

// hears takes note of what becomes of a request.
func (l *life) hears(r *http.Request, what reply) {
	l.feed(func(now time.Time) string { return l.end(now, r, what) })
}

// end is that of a request, once: by an answer, or by the node.
func (l *life) end(now time.Time, r *http.Request, what reply) (complaint string) {
	if l.current != r {
		return ""
	}
	l.current = nil
	if r.Method == "" {
		what.landed = didNot // there was no token to send it with
	}
	f := *l.oracle.flight
	if r.Context().Err() != nil {
		what, complaint = l.oracle.givesUp(now, what)
	} else {
		l.oracle.ends(now, what)
	}
	if f.op == "register" && (what.landed == didLand || what.landed == mayLand) {
		l.pools.known(l.announced)
	}
	l.expect(now, r, f, what)
	return complaint
}
