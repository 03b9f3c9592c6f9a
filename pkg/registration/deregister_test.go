package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestDeregisterIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), ready)
		time.Sleep(20 * time.Second)
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent := w.ops()
		for name, err := range map[string]error{
			"Register":       node.Register(t.Context()),
			"StartHeartbeat": node.StartHeartbeat(t.Context(), ready),
			"Update":         node.Update(registration.Description{Address: "http://192.168.1.100:9200"}),
		} {
			if !errors.Is(err, registration.ErrStopped) {
				t.Errorf("%s after Deregister: %v, want ErrStopped", name, err)
			}
		}
		node.Notify()
		if err := node.Deregister(t.Context()); err != nil {
			t.Errorf("a second Deregister: %v", err)
		}
		time.Sleep(time.Hour)
		if w.ops() != sent || !strings.HasSuffix(sent, " deregister") {
			t.Errorf("sent %s, and %s by an hour later; want deregister last and nothing after it", sent, w.ops())
		}
	})
}

func TestDeregisterTakesWhatMeansGone(t *testing.T) {
	for name, test := range map[string]struct {
		answers []answer
		kind    error
		sent    int
	}{
		"204":                        {[]answer{{status: 204}}, nil, 1},
		"200":                        {[]answer{{status: 200, body: "bye"}}, nil, 1},
		"404, already gone":          {[]answer{{status: 404}}, nil, 1},
		"503, then 204":              {[]answer{{status: 503}, {status: 204}}, nil, 2},
		"a cut connection, then 404": {[]answer{{err: errors.New("connection reset")}, {status: 404}}, nil, 2},
		"401":                        {[]answer{{status: 401}}, registration.ErrUnauthorized, 1},
		"405":                        {[]answer{{status: 405}}, registration.ErrRefused, 1},
		"a Retry-After past the limit": {
			[]answer{{status: 503, header: map[string][]string{"Retry-After": {"30"}}}}, registration.ErrUnavailable, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer { return append([]answer{{}}, test.answers...)[n] }}
				node := registered(t, config(t, w))
				begin := time.Now()
				err := node.Deregister(t.Context())
				if test.kind == nil && err != nil || !errors.Is(err, test.kind) {
					t.Errorf("error is %v, want %v", err, test.kind)
				}
				if len(w.of("deregister")) != test.sent || time.Since(begin) > registration.DefaultShutdownTimeout {
					t.Errorf("%d requests in %v, want %d", len(w.of("deregister")), time.Since(begin), test.sent)
				}
			})
		})
	}
}

func TestDeregisterDoesNotNeedALivingContext(t *testing.T) {
	w := &wire{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := registered(t, config(t, w)).Deregister(ctx); err != nil || w.ops() != "register deregister" {
		t.Errorf("error %v, sent %q", err, w.ops())
	}
}

func TestDeregisterWaitsForTheRequestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "heartbeat" {
				return answer{delay: time.Second}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Second) // a heartbeat is in flight since 500 ms
		begin := time.Now()
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 500*time.Millisecond || w.most != 1 {
			t.Errorf("took %v with %d requests at once, want 500 ms for the one in flight", took, w.most)
		}
	})
}

// Whatever the network does, a shutdown ends in time and sends nothing later.
func TestDeregisterIsBounded(t *testing.T) {
	hang := answer{delay: 24 * time.Hour}
	for name, prepare := range map[string]func(*testing.T, *registration.Node){
		"a registration that may have arrived": func(t *testing.T, n *registration.Node) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_ = n.Register(ctx)
		},
		"a heartbeat hangs": func(t *testing.T, n *registration.Node) {
			if err := n.StartHeartbeat(t.Context(), ready); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		},
		"Register hangs": func(t *testing.T, n *registration.Node) {
			go n.Register(t.Context())
			time.Sleep(time.Second)
		},
	} {
		for _, limit := range []time.Duration{0, 2 * time.Second} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := &wire{answer: func(int, request) answer { return hang }}
					c := config(t, w)
					c.RequestTimeout = 20 * time.Second
					node := newNode(t, c)
					prepare(t, node)

					ctx, want := t.Context(), registration.DefaultShutdownTimeout
					if limit > 0 {
						timeout, cancel := context.WithTimeout(ctx, limit)
						defer cancel()
						ctx, want = timeout, limit
					}
					begin := time.Now()
					err := node.Deregister(ctx)
					if took := time.Since(begin); took != want || !errors.Is(err, context.DeadlineExceeded) ||
						!errors.Is(err, registration.ErrUnavailable) {
						t.Errorf("took %v with error %v, want %v", took, err, want)
					}
					if w.ops()[max(0, len(w.ops())-len("deregister")):] != "deregister" || w.most != 1 {
						t.Errorf("sent %s, %d at once, want deregister last", w.ops(), w.most)
					}
					sent := w.ops()
					time.Sleep(time.Hour)
					if w.ops() != sent {
						t.Errorf("sent %s after Deregister had returned", w.ops())
					}
				})
			})
		}
	}
}

func TestDeregisterFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), ready)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := node.Deregister(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(w.of("deregister")); n != 1 {
			t.Errorf("%d deregistrations, want 1", n)
		}
	})
}

func TestStopKeepsTheNodesPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), ready)
		time.Sleep(20 * time.Second)
		if err := errors.Join(node.Stop(t.Context()), node.Deregister(t.Context())); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if want := "register heartbeat heartbeat"; w.ops() != want || node.Status().State != registration.StateStopped {
			t.Errorf("sent %s, state %s; want %s and no more", w.ops(), node.Status().State, want)
		}
		if err := node.Register(t.Context()); !errors.Is(err, registration.ErrStopped) {
			t.Errorf("Register after Stop: %v, want ErrStopped", err)
		}
	})
}

func TestDeregisterTriesAgainWhenAnAttemptHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			if n == 1 {
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		c := config(t, w)
		c.RequestTimeout, c.ShutdownTimeout = 2*time.Second, 30*time.Second
		node := registered(t, c)
		begin := time.Now()
		if err := node.Deregister(t.Context()); err != nil || len(w.of("deregister")) != 2 ||
			time.Since(begin) > 3*time.Second {
			t.Errorf("%d requests in %v, error %v; want a second one after 2 s", len(w.of("deregister")),
				time.Since(begin), err)
		}
	})
}

func TestDeregisterDoesNotWaitForWhatCannotFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			if n == 0 {
				return answer{}
			}
			return answer{status: 503, header: http.Header{"Retry-After": {"30"}}}
		}}
		node := registered(t, config(t, w))
		begin := time.Now()
		err := node.Deregister(t.Context())
		if time.Since(begin) != 0 || !errors.Is(err, registration.ErrUnavailable) {
			t.Errorf("took %v, error %v", time.Since(begin), err)
		}
	})
}

// deaf is a transport that does not hear when its request is ended.
type deaf struct{}

func (deaf) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(time.Hour)
	return nil, errors.New("connection reset by peer")
}

func TestANodeThatCouldNotLeaveIsStopped(t *testing.T) {
	for name, transport := range map[string]http.RoundTripper{
		"refused":      &wire{answer: func(n int, _ request) answer { return []answer{{}, {status: 405}}[n] }},
		"unavailable":  &wire{answer: func(int, request) answer { return answer{status: 503} }},
		"never silent": deaf{},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := config(t, nil)
				c.HTTPClient = &http.Client{Transport: transport}
				node := newNode(t, c)
				go node.Register(t.Context())
				synctest.Wait()
				if err := node.Deregister(t.Context()); err == nil || node.Status().State != registration.StateStopped {
					t.Errorf("error %v, state %s", err, node.Status().State)
				}
				time.Sleep(2 * time.Hour)
				if s := node.Status(); s.State != registration.StateStopped {
					t.Errorf("state is %s later", s.State)
				}
			})
		})
	}
}

// A 200 that states no success is that of a gateway or of a page for maintenance: it ends no
// registration for good, and says nothing of a record that the node has made.
func TestAnotherServersSuccessIsNoRefusal(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"status":"maintenance"}`, `{"success":null}`, `{"success":"no"}`, `null`,
		`[]`,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, r request) answer {
				if r.op == "register" && n != 1 {
					return answer{status: 200, body: body}
				}
				return answer{}
			}}
			c := config(t, w)
			node := beating(t, c, ready)
			time.Sleep(registration.DefaultRegisterEvery)
			if err := node.Deregister(t.Context()); err != nil ||
				!strings.HasPrefix(w.ops(), "register register heartbeat") {
				t.Errorf("%s: error %v, sent %s", body, err, w.ops())
			}
			if len(w.of("register")) < 3 || len(w.of("deregister")) != 1 {
				t.Errorf("%s: sent %s, want a renewal that fails and a farewell", body, w.ops())
			}
		})
	}
}

// The time of a node that leaves may be over while it looks for another token: what it sends
// then would be sent after Deregister has returned.
func TestNothingIsSentOnceTheTimeToLeaveIsHalfOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			switch {
			case r.op == "heartbeat" && n == 2:
				return answer{status: http.StatusUnauthorized}
			case r.op == "heartbeat" && n > 2:
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		c := config(t, w)
		c.Jitter = func() float64 { return 0 } // it looks 7 s after the 401, and is to ask half a second later
		c.ShutdownTimeout = time.Second
		var hangs atomic.Bool
		c.APIToken = func(ctx context.Context) (string, error) {
			if hangs.Load() {
				<-ctx.Done()
			}
			return token, ctx.Err()
		}
		node := beating(t, c, ready)
		for len(w.sent()) < 3 {
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait() // for the refusal to be taken in
		hangs.Store(true)
		time.Sleep(time.Until(node.Status().NextRequest) - 400*time.Millisecond)
		time.AfterFunc(800*time.Millisecond, func() { hangs.Store(false) })
		if err := node.Deregister(t.Context()); err != nil || w.ops() != "register heartbeat heartbeat deregister" {
			t.Errorf("sent %s, Deregister returned %v", w.ops(), err)
		}
	})
}

// A node that is not on record says so when it is stopped.
func TestStopOfANodeWithoutARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen recorder
		var log strings.Builder
		c := config(t, &wire{})
		c.OnEvent, c.Logger = seen.add, slog.New(slog.NewTextHandler(&log, nil))
		node := newNode(t, c)
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if node.Status().State != registration.StateDeregistered ||
			strings.Contains(log.String(), "still registered") ||
			!slices.Equal(seen.types(), []registration.EventType{registration.EventDeregistered}) {
			t.Errorf("state %s, events %v, log %s", node.Status().State, seen.types(), log.String())
		}
	})
}

// However often a node tries to deregister in vain, it stops once.
func TestANodeStopsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer { return answer{status: []int{0, 405, 405, 0}[n]} }}
		var seen recorder
		c := config(t, w)
		c.OnEvent = seen.add
		node := registered(t, c)
		for try := range 3 {
			if err := node.Deregister(t.Context()); (err == nil) != (try == 2) {
				t.Errorf("try %d returned %v", try, err)
			}
		}
		stopped := slices.DeleteFunc(seen.types(),
			func(e registration.EventType) bool { return e == registration.EventFailed })
		if want := []registration.EventType{
			registration.EventRegistered, registration.EventStopped, registration.EventDeregistered,
		}; !slices.Equal(stopped, want) {
			t.Errorf("events are %v, want %v", stopped, want)
		}
	})
}

// A node that orchestratord does not know any more, and takes no more, leaves without a word:
// the record that comes under its name is another's.
func TestANodeThatWasForgottenAndRefusedSendsNoDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			switch {
			case r.op == "heartbeat":
				return answer{status: http.StatusNotFound, body: `{"success":false,"next_heartbeat_ms":10000}`}
			case n > 0:
				return problem(http.StatusUnprocessableEntity, "contract_violation")
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(5 * time.Second)
		if err := node.Deregister(t.Context()); err != nil || len(w.of("deregister")) > 0 {
			t.Errorf("sent %s, Deregister returned %v, want no DELETE", w.ops(), err)
		}
	})
}

// A shutdown that comes late has the time that it needs.
func TestDeregisterWithADeadlineThatHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := newNode(t, config(t, w))
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithTimeout(t.Context(), -time.Second)
		defer cancel()
		if err := node.Deregister(late); err != nil || w.ops() != "register deregister" {
			t.Errorf("sent %s, Deregister returned %v", w.ops(), err)
		}
	})
}
