package registration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// simNode is a node as a program runs it: it is started, ended at some time, perhaps
// started again, and started again when its life ends with an error. It is also
// the network between the node and orchestratord.
type simNode struct {
	world   *world
	index   int
	id      string
	late    time.Duration // by which it gets a new token
	lives   []life
	ctx     context.Context
	quit    context.CancelFunc
	random  *rand.Rand // of the network
	moods   *rand.Rand // of the status callback
	chance  *rand.Rand // of the node's own jitter
	changes *rand.Rand // of its pools, which should not wait

	mu       sync.Mutex
	endLife  func()
	node     *registration.Node // nil while it is not running
	started  time.Time
	excused  time.Time // until when it is waiting by right
	inFlight int
	gone     bool      // it has been told in this life that it is off the record
	removed  bool      // its last life ended with that
	slots    int32     // what the callback gave last
	heard    time.Time // when orchestratord last heard of it in this life
	leaveBe  time.Time // until when it was asked to leave orchestratord alone
	news     time.Time // when it was told of a change, zero once that was sent
	newToken time.Time // when it was refused although it had got a new token by then
	sent     []sending
	blamed   bool // for a broken promise
}

type life struct{ from, to time.Duration }

type sending struct {
	op    string
	at    time.Time
	fault string
}

// String shows a request among others.
func (s sending) String() string {
	return fmt.Sprintf("%s %s %s;", s.at.Format("05.000"), s.op, s.fault)
}

func newSimNode(w *world, index int, duration time.Duration) *simNode {
	n := &simNode{world: w, index: index, id: fmt.Sprintf("gpu-node-%d", index)}
	for i, stream := range []**rand.Rand{&n.random, &n.moods, &n.chance, &n.changes} {
		*stream = rand.New(rand.NewPCG(w.seed, uint64(4*index+i+1)))
	}
	n.ctx, n.quit = context.WithCancel(context.Background())
	n.late = span(n.random, 0, time.Minute)
	from := span(n.random, 0, time.Minute)
	for from < duration {
		to := duration
		if n.random.IntN(4) > 0 {
			to = from + span(n.random, time.Second, 10*time.Minute)
		}
		n.lives = append(n.lives, life{from, to})
		from = to + span(n.random, time.Second, 10*time.Minute)
	}
	return n
}

// live is the program around the node.
func (n *simNode) live() {
	for _, l := range n.lives {
		if !n.sleepUntil(l.from) {
			return
		}
		ctx, cancel := context.WithTimeout(n.ctx, l.to-time.Since(n.world.begin))
		n.mu.Lock()
		n.endLife = cancel
		n.mu.Unlock()
		for ctx.Err() == nil {
			n.run(ctx)
			select {
			case <-time.After(5 * time.Second): // as a supervisor does
			case <-ctx.Done():
			}
		}
		cancel()
	}
}

func (n *simNode) sleepUntil(at time.Duration) bool {
	select {
	case <-time.After(at - time.Since(n.world.begin)):
		return true
	case <-n.ctx.Done():
		return false
	}
}

// run is one life of the node, from New to the return of Run.
func (n *simNode) run(ctx context.Context) {
	node, err := registration.New(registration.Config{
		NodeID: n.id, MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: "http://orchestratord:8080", Pools: []string{"pool-0"},
		Capabilities: registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:     func(context.Context) (string, error) { return n.world.token(n.late), nil },
		HTTPClient:   &http.Client{Transport: n},
		Logger:       slog.New(slog.NewTextHandler(n.world, nil)),
		OnEvent:      func(e registration.Event) { n.checkEvent(e) },
		Jitter:       n.chance.Float64,
		// Half of the nodes give a request more time than there is to stop.
		RequestTimeout:    n.lost(),
		HeartbeatInterval: n.world.interval,
	})
	if err != nil {
		n.world.t.Fatal(err)
	}
	registration.SetWall(node, n.world.clock)
	n.mu.Lock()
	n.node, n.started, n.gone, n.removed = node, time.Now(), false, false
	n.excused, n.heard, n.leaveBe, n.newToken, n.news = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	n.mu.Unlock()

	var ended time.Time
	stop := context.AfterFunc(ctx, func() { n.mu.Lock(); ended = time.Now(); n.mu.Unlock() })
	stopTelling := n.tell(node)
	err = node.Run(ctx, n.status)
	stopTelling()
	stop()

	n.mu.Lock()
	defer n.mu.Unlock()
	if took := time.Since(ended); !ended.IsZero() && took > registration.DefaultShutdownTimeout {
		n.world.violated(n, "took %v to stop", took)
	}
	well := n.world.weather() == nil && time.Since(n.world.calmSince()) > time.Minute
	if err != nil && !ended.IsZero() && well {
		n.world.violated(n, "could not leave although all was well: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), token) {
		n.world.violated(n, "has a token in its error")
	}
	n.node, n.removed = nil, err == nil && n.gone
}

// tell has pools change now and then in a way that should not wait, until the
// function that it returns is called.
func (n *simNode) tell(node *registration.Node) (stop func()) {
	end, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		for {
			select {
			case <-time.After(span(n.changes, time.Second, 3*time.Minute)):
			case <-end:
				return
			}
			n.mu.Lock()
			if n.news.IsZero() {
				n.news = time.Now()
			}
			n.mu.Unlock()
			node.Notify()
		}
	}()
	return func() { close(end); <-told }
}

// status is the node's callback: it counts its calls, so that it can be told which
// answer arrived.
func (n *simNode) status(ctx context.Context) ([]registration.PoolStatus, error) {
	if s := n.world.weather(); s != nil && s.badCallbacks {
		switch n.moods.IntN(8) {
		case 0:
			select {
			case <-time.After(time.Until(n.world.begin.Add(s.to))):
			case <-ctx.Done():
			}
		case 1:
			panic("the callback is broken")
		case 2:
			return nil, errors.New("no driver")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slots = (n.slots + 1) % 1000
	return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: n.slots, SlotsTotal: 1000}}, nil
}

// check holds the node to the promises: on record as it should be in a calm, and
// off it for good once it has left.
func (n *simNode) check(record registry.Node, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.node == nil {
		if known && n.removed {
			n.world.violated(n, "is on record as %s after it has left", record.Status)
		}
		return
	}
	status := n.node.Status()
	if pending(status) && status.State == registration.StateFailing && status.NextRequest.After(n.excused) {
		n.excused = status.NextRequest
	}
	due := later(n.started, later(n.world.calmSince(), n.excused)).Add(n.world.interval + n.world.interval/2 + n.lost())
	if n.world.weather() != nil || n.inFlight > 0 || time.Now().Before(due) {
		return
	}
	if late := time.Since(n.news); !n.news.IsZero() && status.State == registration.StateOnline && late > 2*time.Second {
		n.world.violated(n, "has not told its news for %v", late)
	}
	if !known || !online(record, n.slots) {
		n.world.violated(n, "is %s with pools %+v, want Online with %d free slots; it says of itself %+v",
			record.Status, record.Pools, n.slots, status)
	}
}

// lost is how long a request may take that a storm has swallowed.
func (n *simNode) lost() time.Duration {
	return registration.DefaultRequestTimeout * time.Duration(1+3*(n.index%2))
}

func (n *simNode) checkEvent(e registration.Event) {
	if e.Err != nil && strings.Contains(e.Err.Error(), token) && e.Type != registration.EventStatusFault {
		n.world.violated(n, "has a token in event %s", e.Type)
	}
}

// checkPace holds what was sent to what a well-behaved node sends at most.
func (n *simNode) checkPace() {
	for _, limit := range []struct {
		window time.Duration
		most   int
	}{{time.Second, 10}, {10 * time.Second, 20}, {time.Minute, 50}} {
		for i := limit.most; i < len(n.sent); i++ {
			if n.sent[i].at.Sub(n.sent[i-limit.most].at) < limit.window {
				n.world.violated(n, "sent more than %d requests in %v, at %v: %v", limit.most, limit.window, n.sent[i].at.Sub(n.world.begin), n.sent[i-limit.most:i+1])
				return
			}
		}
	}
}

// RoundTrip is the network. In a storm it does to requests and answers what
// networks, proxies and overloaded servers do.
func (n *simNode) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	fault := n.enter(r)
	defer n.leave()

	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return r.Context().Err()
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	if err := wait(n.delay(fault)); err != nil {
		return nil, err
	}
	storm := n.world.weather()
	if storm != nil && slices.Contains(storm.partitioned, n.index) {
		return nil, wait(time.Hour)
	}
	switch fault {
	case "lost request":
		if n.random.IntN(4) == 0 { // as impatient people do
			n.mu.Lock()
			time.AfterFunc(100*time.Millisecond, n.endLife)
			n.mu.Unlock()
		}
		return nil, wait(time.Hour)
	case "refused":
		return nil, unconnected(r, refusedDial)
	case "duplicated":
		if _, err := n.deliver(r, body); err != nil {
			return nil, err
		}
	case "401", "404", "429", "500", "503":
		return n.faulty(r, fault), nil
	}
	answer, err := n.deliver(r, body)
	if err != nil {
		return nil, err
	}
	switch fault {
	case "lost answer":
		return nil, wait(time.Hour)
	case "reset":
		return nil, errors.New("connection reset by peer")
	case "late answer":
		if err := wait(span(n.random, 0, 10*time.Second)); err != nil {
			return nil, err
		}
	case "cut answer":
		answer.Body = io.NopCloser(io.MultiReader(io.LimitReader(answer.Body, 10), broken{}))
	case "garbage":
		answer.Body = io.NopCloser(strings.NewReader("<html>" + token))
	}
	n.learns(r, answer.StatusCode)
	return answer, nil
}

// learns notes what an answer that reaches the node obliges it to.
func (n *simNode) learns(r *http.Request, status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if status == http.StatusUnauthorized && r.Header.Get("Authorization") != "Bearer "+n.world.token(n.late) {
		n.newToken = time.Now()
	}
	if r.Method == http.MethodDelete && (status == http.StatusNoContent || status == http.StatusNotFound) {
		n.gone = true
	}
}

var (
	faults      = []string{"lost request", "refused", "duplicated", "lost answer", "reset", "late answer", "cut answer", "garbage", "late request", "401", "404", "429", "500", "503"}
	refusedDial = &net.OpError{Op: "dial", Err: errors.New("connection refused")}
)

// broken is the end of a body whose connection was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// enter notes a request and draws what it will meet.
func (n *simNode) enter(r *http.Request) string {
	n.world.requests.Add(1)
	fault := ""
	if s := n.world.weather(); s != nil && n.random.Float64() < s.faults {
		fault = faults[n.random.IntN(len(faults))]
		if fault == "404" && r.Method == http.MethodDelete {
			fault = "500" // a 404 that is a lie tells a node that it has left
		}
	}
	op, _ := opOf(r.Clone(context.Background()))
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, sending{op, now, fault})
	if n.inFlight++; n.inFlight > 1 {
		n.world.violated(n, "has %d requests in flight", n.inFlight)
	}
	if n.node == nil {
		n.world.violated(n, "sends a %s after its end", op)
	}
	if op != "deregister" && now.Before(n.leaveBe) {
		n.world.violated(n, "sends a %s %v before it may", op, n.leaveBe.Sub(now))
	}
	if op == "heartbeat" {
		n.news = time.Time{}
	}
	if !n.newToken.IsZero() && now.Sub(n.newToken) > 0 {
		n.world.violated(n, "was refused with its old token, and waited %v with its new one", now.Sub(n.newToken))
	}
	n.newToken = time.Time{}
	return fault
}

func (n *simNode) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.inFlight--
}

func (n *simNode) delay(fault string) time.Duration {
	if fault == "late request" {
		return span(n.random, 0, 10*time.Second)
	}
	return span(n.random, time.Millisecond, 20*time.Millisecond)
}

// deliver has orchestratord answer a request.
func (n *simNode) deliver(r *http.Request, body []byte) (*http.Response, error) {
	mock := n.world.orchestratord()
	if mock == nil {
		return nil, unconnected(r, refusedDial)
	}
	if r.Header.Get("Authorization") != "Bearer "+n.world.token(0) {
		return n.faulty(r, "401"), nil
	}
	request := r.Clone(r.Context())
	request.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	mock.ServeHTTP(recorder, request)
	n.hears(r)
	return recorder.Result(), nil
}

// hears notes what reaches orchestratord, which takes heartbeats from a node that it
// has written off, and gives it no work until it registers.
func (n *simNode) hears(r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if silent := time.Since(n.heard); strings.HasSuffix(r.URL.Path, "/heartbeat") && silent > registration.DefaultNodeTimeout {
		n.world.violated(n, "beats %v after orchestratord last heard of it, want it to register first", silent)
	}
	n.heard = time.Now()
}

func (n *simNode) faulty(r *http.Request, status string) *http.Response {
	answer := &http.Response{Header: http.Header{}, Request: r}
	fmt.Sscan(status, &answer.StatusCode)
	answer.Body = io.NopCloser(strings.NewReader(`{"detail":"` + r.Header.Get("Authorization") + `"}`))
	if n.random.IntN(2) == 0 && answer.StatusCode >= 429 {
		seconds := n.random.IntN(90)
		answer.Header.Set("Retry-After", fmt.Sprint(seconds))
		n.mu.Lock()
		n.leaveBe = time.Now().Add(min(time.Duration(seconds)*time.Second, time.Minute))
		n.mu.Unlock()
	}
	return answer
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
