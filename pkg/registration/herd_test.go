package registration_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

var herd = flag.Int("herd", 1000, "nodes of the herd that an outage sets free")

// An outage must not turn a fleet into a herd that tramples orchestratord when it
// returns. `make simulate-herd` shows ten thousand nodes.
func TestHerd_heavy(t *testing.T) {
	race.Skip(t)
	for name, test := range map[string]struct {
		forgets, throttles bool
		down               time.Duration
	}{
		"away for 15 s":             {false, false, 15 * time.Second},
		"away for 30 s":             {false, false, 30 * time.Second},
		"restarted without records": {true, false, 2 * time.Second},
		"throttled until a moment":  {false, true, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPasture(*herd, test.down, test.forgets)
				p.throttles = test.throttles
				p.run(t)
				peak, mean := p.arrivals()
				t.Logf(
					"%d nodes: %.0f arrivals per 100 ms at the mean, %d at the peak (%.2f times), all online %v "+
						"after the return",
					*herd, mean, peak, float64(peak)/mean, p.lastBack.Round(time.Millisecond))
				if float64(peak) > 3*mean {
					t.Errorf("at the peak %d requests arrived in 100 ms, more than 3 times the mean of %.0f", peak,
						mean)
				}
				if len(p.back) != *herd || p.lastBack > 2*simInterval {
					t.Errorf("%d of %d nodes are online, the last after %v, want all within two intervals", len(p.back),
						*herd, p.lastBack)
				}
			})
		})
	}
}

// A fleet that starts at once registers at once, since it has to, but neither
// beats at once nor, if orchestratord is not there yet, asks again at once.
func TestHerdAtItsStart_heavy(t *testing.T) {
	race.Skip(t)
	for name, test := range map[string]struct {
		away time.Duration
		most float64 // share of the fleet in any 100 ms
	}{
		"orchestratord is there": {0, 0.15}, // first heartbeats are spread over a second
		"orchestratord is late":  {10 * time.Second, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPasture(*herd, 0, false)
				p.from, p.to, p.crowd = time.Now(), time.Now().Add(test.away), true
				p.run(t)
				peak := slices.Max(slices.Collect(maps.Values(p.per100ms)))
				if float64(peak) > test.most*float64(*herd) || len(p.back) != *herd {
					t.Errorf("at the peak %d requests were sent in 100 ms; %d nodes are online", peak, len(p.back))
				}
			})
		})
	}
}

// An orchestratord that takes registrations and fails on heartbeats gets no more
// than the longest backoff means, however often it takes a registration.
func TestFleetThatCanRegisterButNotBeat_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		const nodes, minutes = 5, 60
		w := &wire{answer: func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{status: http.StatusInternalServerError}
			}
			return answer{}
		}}
		for i := range nodes {
			c := config(t, w)
			c.Jitter = rand.New(rand.NewPCG(4, uint64(i))).Float64
			c.Logger = slog.New(slog.DiscardHandler)
			node := newNode(t, c)
			if err := node.StartHeartbeat(t.Context(), ready); err != nil {
				t.Fatal(err)
			}
			defer node.Deregister(t.Context())
		}
		time.Sleep(minutes * time.Minute)
		// Full jitter up to 5 s makes a pause of 2.5 s on average: 24 a minute.
		if rate := float64(len(w.sent())) / nodes / minutes; rate > 25 {
			t.Errorf("a node sends %.1f requests a minute, want 24", rate)
		}
	})
}

const crowdStart = time.Millisecond

// pasture is an orchestratord that counts: it goes away once all nodes are online,
// and notes what arrives when it is back.
type pasture struct {
	nodes      int
	from, to   time.Time
	forgets    bool
	throttles  bool // in place of being away, and says for how long
	crowd      bool // all nodes start at once, and all that they send counts
	mu         sync.Mutex
	registered map[string]bool
	back       map[string]bool // nodes that have had a good heartbeat since the return
	lastBack   time.Duration
	per100ms   map[int]int
}

// newPasture returns one whose nodes start over two intervals and beat for two more before it goes
// away: by then their beats are spread evenly, and more of them would change nothing.
func newPasture(nodes int, down time.Duration, forgets bool) *pasture {
	from := time.Now().Add(4 * simInterval)
	return &pasture{
		nodes: nodes, from: from, to: from.Add(down), forgets: forgets,
		registered: map[string]bool{}, back: map[string]bool{}, per100ms: map[int]int{},
	}
}

func (p *pasture) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	random := rand.New(rand.NewPCG(1, 2))
	var running sync.WaitGroup
	for i := range p.nodes {
		jitter := rand.New(rand.NewPCG(3, uint64(i)))
		node, err := registration.New(registration.Config{
			NodeID: fmt.Sprintf("gpu-node-%d", i), MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
			OrchestratordURL: "http://orchestratord:8080", Pools: []string{"pool-0"},
			HTTPClient: &http.Client{Transport: p}, Logger: slog.New(slog.DiscardHandler), Jitter: jitter.Float64,
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Duration(random.Int64N(int64(2 * simInterval)))
		if p.crowd {
			start = crowdStart
		}
		running.Go(func() {
			time.Sleep(start)
			node.Run(ctx, ready)
		})
	}
	time.Sleep(time.Until(p.to.Add(3 * simInterval)))
	cancel()
	running.Wait()
}

// RoundTrip answers for orchestratord, or refuses the connection while it is away.
func (p *pasture) RoundTrip(r *http.Request) (*http.Response, error) {
	op, id := opOf(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	since, away := now.Sub(p.to), !now.Before(p.from) && now.Before(p.to)
	switch {
	case p.crowd && (op == "heartbeat" || op == "register" && now.Sub(p.from) > crowdStart):
		p.per100ms[int(now.Sub(p.from)/(100*time.Millisecond))]++ // tries too
	case !p.crowd && since >= 0 && since < 2*simInterval:
		p.per100ms[int(since/(100*time.Millisecond))]++
	}
	if away && p.forgets {
		clear(p.registered)
	}
	reply := well(op)
	switch {
	case away && p.throttles:
		left := strconv.Itoa(int(math.Ceil(-since.Seconds())))
		reply = answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {left}}}
	case away:
		return nil, refusedDial
	case op == "register":
		p.registered[id] = true
	case op == "heartbeat" && !p.registered[id]:
		reply = answer{status: http.StatusNotFound}
	case op == "heartbeat" && since >= 0 && !p.back[id]:
		p.back[id] = true
		p.lastBack = since
	}
	return &http.Response{
		StatusCode: reply.status, Header: reply.header,
		Body: io.NopCloser(strings.NewReader(reply.body)), Request: r,
	}, nil
}

// opOf returns what a request asks for, and for which node.
func opOf(r *http.Request) (op, id string) {
	steps := strings.Split(r.URL.Path, "/")
	switch {
	case r.Method == http.MethodDelete:
		return "deregister", steps[3]
	case steps[len(steps)-1] == "register":
		var request nodeapi.RegisterRequest
		json.NewDecoder(r.Body).Decode(&request)
		return "register", request.NodeID
	default:
		return "heartbeat", steps[3]
	}
}

// arrivals returns the busiest 100 ms of the recovery, which lasts until the last
// node is online, and the mean.
func (p *pasture) arrivals() (peak int, mean float64) {
	sum, end := 0, int(p.lastBack/(100*time.Millisecond))
	for at, n := range p.per100ms {
		if at <= end {
			peak = max(peak, n)
			sum += n
		}
	}
	return peak, float64(sum) / float64(end+1)
}

// A fleet that started at once must not register anew at once, nor beat in step then.
func TestFleetThatRefreshesStaysFlat_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		const nodes, minutes = 300, 15
		begin := time.Now()
		perSecond := map[int]int{}
		refreshes, seeds := 0, rand.New(rand.NewPCG(5, 6))
		w := &wire{answer: func(_ int, r request) answer {
			if at := r.at.Sub(begin); at > time.Minute && at < minutes*time.Minute {
				perSecond[int(at/time.Second)]++
				if r.op == "register" {
					refreshes++
				}
			}
			return answer{}
		}}
		for range nodes {
			c := config(t, w)
			c.Jitter = rand.New(rand.NewPCG(seeds.Uint64(), seeds.Uint64())).Float64
			c.Logger = slog.New(slog.DiscardHandler)
			node := newNode(t, c)
			if err := node.StartHeartbeat(t.Context(), ready); err != nil {
				t.Fatal(err)
			}
			defer node.Stop(t.Context())
		}
		time.Sleep(minutes * time.Minute)
		synctest.Wait()
		sum := 0
		for _, n := range perSecond {
			sum += n
		}
		mean, peak := float64(sum)/float64(len(perSecond)), slices.Max(slices.Collect(maps.Values(perSecond)))
		t.Logf("%d refreshes, %.1f requests a second at the mean, %d at the peak (%.2f times)", refreshes, mean, peak,
			float64(peak)/mean)
		if refreshes < nodes*(minutes-1)/5 {
			t.Errorf("%d refreshes, want one of each node in five minutes", refreshes)
		}
		if float64(peak) > 2*mean {
			t.Errorf("%d requests in a second, more than twice the mean of %.1f", peak, mean)
		}
	})
}
