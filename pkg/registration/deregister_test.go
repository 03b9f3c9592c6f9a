package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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
		"299":                        {[]answer{{status: 299}}, nil, 1},
		"404, already gone":          {[]answer{{status: 404}}, nil, 1},
		"503, then 204":              {[]answer{{status: 503}, {status: 204}}, nil, 2},
		"a cut connection, then 404": {[]answer{{err: errors.New("connection reset")}, {status: 404}}, nil, 2},
		"503, then a slow 204":       {[]answer{{status: 503}, {status: 204, delay: 4 * time.Second}}, nil, 2},
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

// A context that is cancelled takes no time away, and gives none beyond its deadline.
func TestDeregisterDoesNotNeedALivingContext(t *testing.T) {
	for deadline, want := range map[time.Duration]time.Duration{
		time.Hour: registration.DefaultShutdownTimeout, time.Second: time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(_ int, r request) answer {
				if r.op == "deregister" {
					return answer{delay: time.Hour}
				}
				return answer{}
			}}
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			cancel()
			node, begin := registered(t, config(t, w)), time.Now()
			err := node.Deregister(ctx)
			took, left := time.Since(begin), strings.HasPrefix(w.ops(), "register deregister")
			if err == nil || took != want || !left {
				t.Errorf("deadline in %v: error %v after %v, sent %q", deadline, err, took, w.ops())
			}
		})
	}
}

// Of calls at the same time one acts, and all return its result.
func TestDeregisterFromManyGoroutines(t *testing.T) {
	for status, want := range map[int]error{204: nil, 405: registration.ErrRefused} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(_ int, r request) answer {
				if r.op == "deregister" {
					return answer{status: status, delay: time.Second}
				}
				return answer{}
			}}
			node := beating(t, config(t, w), ready)
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if err := node.Deregister(t.Context()); !errors.Is(err, want) {
						t.Errorf("answered %d, it returned %v, want %v", status, err, want)
					}
				})
			}
			all.Wait()
			if n := len(w.of("deregister")); n != 1 {
				t.Errorf("answered %d, %d deregistrations, want 1", status, n)
			}
		})
	}
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

// A node that is not on record ends well, and keeps the error of a registration that was in vain.
func TestTheEndOfANodeWithoutARecord(t *testing.T) {
	for _, end := range []func(*registration.Node, context.Context) error{
		(*registration.Node).Deregister, (*registration.Node).Stop,
	} {
		for _, want := range []error{nil, registration.ErrRefused} { // of the registration; nil if there was none
			synctest.Test(t, func(t *testing.T) {
				var seen recorder
				var log strings.Builder
				c := config(t, &wire{answer: func(int, request) answer { return plain(422, "no") }})
				c.OnEvent, c.Logger = seen.add, slog.New(slog.NewTextHandler(&log, nil))
				node := newNode(t, c)
				if want != nil {
					node.Register(t.Context())
				}
				if err := end(node, t.Context()); err != nil {
					t.Error(err)
				}
				ended := slices.DeleteFunc(seen.types(),
					func(e registration.EventType) bool { return e == registration.EventFailed })
				if s := node.Status(); s.State != registration.StateDeregistered || !errors.Is(s.LastError, want) ||
					strings.Contains(log.String(), "still registered") ||
					!slices.Equal(ended, []registration.EventType{registration.EventDeregistered}) {
					t.Errorf("status %+v, events %v, log %s", s, seen.types(), log.String())
				}
			})
		}
	}
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

// A node whose record may be there asks for its removal. One that orchestratord has refused, or does
// not know any more and takes no more, leaves without a word: the record that comes under its name is
// another's.
func TestWhatMayBeOnRecordIsDeregistered(t *testing.T) {
	refused := problem(http.StatusUnprocessableEntity, "contract_violation")
	rejected := answer{status: http.StatusOK, body: `{"success":false,"message":"full","node_id":"gpu-node-1"}`}
	unknown := answer{status: http.StatusNotFound, body: `{"success":false,"next_heartbeat_ms":10000}`}
	failed := answer{status: http.StatusServiceUnavailable, body: `{"success":false}`}
	hangs := func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	for name, test := range map[string]struct {
		first, heartbeat, renewal answer // zero for a good one
		token                     registration.TokenSource
		want                      bool
	}{
		"registered":                      {want: true},
		"rejected":                        {first: rejected},
		"refused":                         {first: refused},
		"refused by a router":             {first: answer{status: 499}},
		"failed":                          {first: answer{status: 500}, want: true},
		"not answered":                    {first: answer{err: errors.New("connection reset")}, want: true},
		"not dialled":                     {first: answer{err: &net.OpError{Op: "dial", Err: errors.New("refused")}}},
		"not sent, as there is no token":  {token: hangs},
		"forgotten and refused":           {heartbeat: unknown, renewal: refused},
		"forgotten and registered again":  {heartbeat: unknown, want: true},
		"a router knew no way, no page":   {heartbeat: answer{status: 404}, renewal: refused, want: true},
		"a router knew no way, with text": {heartbeat: plain(404, "{} is no page"), renewal: refused, want: true},
		"a heartbeat failed, with a body": {heartbeat: failed, renewal: refused, want: true},
		"a renewal was not found":         {renewal: unknown, want: true},
		"a renewal was refused":           {renewal: refused, want: true},
		"heartbeats after a rejection":    {renewal: rejected, want: true}, // find the record from before
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, r request) answer {
					switch {
					case n == 0:
						return test.first
					case n == 1 && r.op == "heartbeat":
						return test.heartbeat
					case r.op == "register":
						return test.renewal
					}
					return answer{}
				}}
				c := config(t, w)
				c.RegisterEvery, c.RequestTimeout = 20*time.Second, 40*time.Millisecond
				if test.token != nil {
					c.APIToken = test.token
				}
				node := newNode(t, c)
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // too short for a second attempt
				defer cancel()
				if err := node.Register(ctx); err == nil {
					if err := node.StartHeartbeat(t.Context(), ready); err != nil {
						t.Fatal(err)
					}
					time.Sleep(29 * time.Second)
				}
				if err := node.Deregister(t.Context()); err != nil || (len(w.of("deregister")) > 0) != test.want {
					t.Errorf("sent %s, Deregister returned %v, want a DELETE: %t", w.ops(), err, test.want)
				}
			})
		})
	}
}
