package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// recorder keeps the events that it receives.
type recorder struct {
	mu     sync.Mutex
	events []registration.Event
}

func (r *recorder) add(e registration.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) types() []registration.EventType {
	r.mu.Lock()
	defer r.mu.Unlock()
	var types []registration.EventType
	for _, e := range r.events {
		types = append(types, e.Type)
	}
	return types
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen recorder
		c := config(t, troubled())
		c.OnEvent = seen.add
		calls := 0
		node := beating(t, c, func(ctx context.Context) ([]registration.PoolStatus, error) {
			if calls++; calls == 1 {
				return nil, errors.New("not yet")
			}
			return ready(ctx)
		})
		time.Sleep(36 * time.Second)
		node.Deregister(t.Context())
		synctest.Wait()
		want := []registration.EventType{
			registration.EventRegistered, registration.EventStatusFault, registration.EventOnline,
			registration.EventStatusFresh,
			registration.EventHeartbeat, registration.EventFailed, registration.EventFailed,
			registration.EventForgotten,
			registration.EventRegistered, registration.EventOnline, registration.EventHeartbeat,
			registration.EventDeregistered,
		}
		if !slices.Equal(seen.types(), want) {
			t.Errorf("events were\n%v, want\n%v", seen.types(), want)
		}
		for _, e := range seen.events {
			if e.Time.IsZero() || e.Dropped != 0 || (e.Err != nil) != slices.Contains([]registration.EventType{
				registration.EventFailed, registration.EventForgotten, registration.EventStatusFault,
			}, e.Type) {
				t.Errorf("odd event %+v", e)
			}
			var typed *registration.Error
			if e.Type == registration.EventForgotten &&
				(!errors.As(e.Err, &typed) || typed.StatusCode != 404 || typed.CorrelationID != e.CorrelationID) {
				t.Errorf("the error of %s is %v", e.Type, e.Err)
			}
		}
	})
}

func TestASlowReceiverOfEventsHoldsUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.RegisterEvery = -1
		var seen recorder
		release := make(chan struct{})
		c.OnEvent = func(e registration.Event) {
			seen.add(e)
			<-release
			panic("and then it breaks")
		}
		node := beating(t, c, ready)
		time.Sleep(time.Hour)
		if n := len(w.of("heartbeat")); n != 360 {
			t.Errorf("%d heartbeats in an hour, want 360", n)
		}
		dropped := node.Status().DroppedEvents
		if dropped != 361-65 {
			t.Errorf("%d events dropped, want all but the one in hand and the 64 that wait", dropped)
		}
		close(release)
		time.Sleep(time.Minute)
		node.Deregister(t.Context())
		synctest.Wait()
		if last := seen.events[len(seen.events)-1]; last.Type != registration.EventDeregistered ||
			last.Dropped < dropped {
			t.Errorf("the last event was %+v, want deregistered, with %d dropped or more", last, dropped)
		}
	})
}

func TestAReceiverOfEventsThatPanicsIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		c := config(t, &wire{})
		c.Logger = slog.New(slog.NewTextHandler(&out, nil))
		c.OnEvent = func(registration.Event) { panic("no such page" + strings.Repeat("!", 4000)) }
		node := beating(t, c, ready)
		time.Sleep(time.Minute)
		node.Deregister(t.Context())
		synctest.Wait()
		if n := strings.Count(out.String(), "level=WARN"); n != 1 || !strings.Contains(out.String(), "no such page") {
			t.Errorf("warned %d times, want once, of what it panicked with:\n%s", n, out.String())
		}
		if n := strings.Count(out.String(), "!"); n != 1024-len("no such page") {
			t.Errorf("%d bytes of the panic are logged, want 1024", n)
		}
		if n := node.Status().DroppedEvents; n != 8 {
			t.Errorf("%d events missed, want all 8", n)
		}
	})
}

func TestAnEventSaysWhenItsRequestWasDueAndWhatItTook(t *testing.T) {
	const usual, slowly = 300 * time.Millisecond, 50 * time.Millisecond
	requests := []struct {
		answer answer
		event  registration.EventType
		took   time.Duration
		late   time.Duration // by the callback, which takes no time from the request
	}{
		{answer{delay: usual}, registration.EventRegistered, usual, 0},
		{answer{delay: usual}, registration.EventOnline, usual, slowly},
		{answer{delay: time.Hour}, registration.EventFailed, registration.DefaultRequestTimeout, slowly},
		{answer{delay: usual}, registration.EventOnline, usual, slowly},
		{answer{delay: usual, status: http.StatusServiceUnavailable}, registration.EventFailed, usual, 0},
		{answer{delay: usual}, registration.EventDeregistered, usual, 0},
	}
	synctest.Test(t, func(t *testing.T) {
		var seen recorder
		w := &wire{answer: func(n int, _ request) answer { return requests[n].answer }}
		c := config(t, w)
		c.OnEvent = seen.add
		node := beating(t, c, func(ctx context.Context) ([]registration.PoolStatus, error) {
			time.Sleep(slowly)
			return ready(ctx)
		})
		time.Sleep(24 * time.Second)
		node.Deregister(t.Context())
		synctest.Wait()
		if len(seen.events) != len(requests) {
			t.Fatalf("events were %v", seen.types())
		}
		for i, e := range seen.events {
			want, sent := requests[i], w.sent()[i]
			if id := sent.header.Get("X-Correlation-Id"); e.CorrelationID != id {
				t.Errorf("%s has the correlation id %q, its request %q", e.Type, e.CorrelationID, id)
			}
			if e.Type != want.event || e.Took != want.took {
				t.Errorf("%s took %v, want %s and %v", e.Type, e.Took, want.event, want.took)
			}
			switch leaves := sent.op == "deregister"; {
			case leaves && !e.Due.IsZero():
				t.Errorf("%s was due at %v", e.Type, e.Due)
			case !leaves && e.Time.Sub(e.Due) != want.took+want.late:
				t.Errorf("%s came %v after it was due, want %v", e.Type, e.Time.Sub(e.Due), want.took+want.late)
			}
		}
	})
}

// An event says when the next request comes, 0 if none does: after a refusal that a caller waits for, and
// once the node or its context has ended.
func TestAnEventSaysWhenTheNextRequestComes(t *testing.T) {
	register := func(n *registration.Node, ctx context.Context) { n.Register(ctx) }
	start := func(n *registration.Node, ctx context.Context) { n.StartHeartbeat(ctx, ready) }
	stop := func(n *registration.Node, ctx context.Context) {
		time.AfterFunc(time.Second, func() { n.Stop(context.WithoutCancel(ctx)) })
		n.Register(ctx)
	}
	for name, test := range map[string]struct {
		use    func(*registration.Node, context.Context)
		answer answer
		nth    int // request, which is answered so
		want   time.Duration
	}{
		"registered":                     {start, answer{}, 0, 500 * time.Millisecond},
		"a good heartbeat":               {start, answer{}, 1, 14500 * time.Millisecond},
		"forgotten":                      {start, answer{status: 404}, 1, 1},
		"a failure that may pass":        {register, answer{status: 503}, 0, 300 * time.Millisecond},
		"a refusal":                      {start, answer{status: 422}, 0, 11250 * time.Millisecond},
		"a bad token":                    {start, answer{status: 401}, 0, 11250 * time.Millisecond},
		"a refusal of Register":          {register, answer{status: 422}, 0, 0},
		"a bad token of Register":        {register, answer{status: 401}, 0, 0},
		"when the caller has given up":   {register, answer{delay: 4 * time.Second}, 0, 0},
		"when heartbeats have ended":     {start, answer{delay: 4 * time.Second}, 1, 0},
		"when the node has been stopped": {stop, answer{status: 503, delay: 2 * time.Second}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen recorder
				c := config(t, &wire{answer: func(n int, _ request) answer {
					if n == test.nth {
						return test.answer
					}
					return answer{}
				}})
				c.OnEvent = seen.add
				node := newNode(t, c)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				go test.use(node, ctx)
				time.Sleep(time.Minute)
				node.Stop(t.Context())
				if next := seen.events[test.nth].Next; next != test.want {
					t.Errorf("the next request is to come after %v, want %v", next, test.want)
				}
			})
		})
	}
}

func TestAnEventSaysWhyTheNodeRegistered(t *testing.T) {
	outage := func(n int, r request) answer {
		if r.op == "heartbeat" && n < 40 {
			return answer{err: errors.New("connection reset")}
		}
		return answer{}
	}
	for second, test := range map[registration.Reason]struct {
		answer func(n int, r request) answer
		then   func(*registration.Node) error
	}{
		registration.ReasonStarted: {then: func(n *registration.Node) error {
			time.Sleep(time.Hour)
			return n.Register(context.Background()) // a caller asks for it, whatever else there is
		}},
		registration.ReasonForgotten: {answer: func(n int, _ request) answer {
			if n == 1 {
				return answer{status: http.StatusNotFound}
			}
			return answer{}
		}},
		registration.ReasonCutOff:    {answer: outage},
		registration.ReasonRefreshed: {},
		registration.ReasonUpdated: {then: func(n *registration.Node) error {
			if err := n.StartHeartbeat(context.Background(), ready); err != nil {
				return err
			}
			time.Sleep(time.Second)
			return n.Update(registration.Description{Address: "http://192.168.1.101:9200"})
		}},
	} {
		t.Run(string(second), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reasons []registration.Reason
				c := config(t, &wire{answer: test.answer})
				c.OnEvent = func(e registration.Event) {
					if e.Type == registration.EventRegistered {
						reasons = append(reasons, e.Reason)
					}
				}
				node := registered(t, c)
				if test.then == nil {
					test.then = func(n *registration.Node) error { return n.StartHeartbeat(t.Context(), ready) }
				}
				if err := test.then(node); err != nil {
					t.Fatal(err)
				}
				time.Sleep(registration.DefaultRegisterEvery)
				if err := node.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				if len(reasons) < 2 || reasons[0] != registration.ReasonStarted || reasons[1] != second {
					t.Errorf("it registered for %q", reasons)
				}
			})
		})
	}
}

// A program may end right after its node: its last events are not lost then.
func TestTheLastEventIsDeliveredBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last registration.EventType
		c := config(t, &wire{})
		c.OnEvent = func(e registration.Event) {
			time.Sleep(300 * time.Millisecond)
			last = e.Type
		}
		node := registered(t, c)
		if err := node.Deregister(t.Context()); err != nil || last != registration.EventDeregistered {
			t.Errorf("Deregister returned %v after the event %q, want it after the last", err, last)
		}
	})
}

// A receiver that hangs takes a second of the time to leave, and no more.
func TestAReceiverThatHangsHoldsNoEndUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		c := config(t, &wire{})
		c.OnEvent = func(registration.Event) { <-hang }
		node := registered(t, c)
		begin := time.Now()
		if err := node.Deregister(t.Context()); err != nil || time.Since(begin) > time.Second {
			t.Errorf("Deregister returned %v after %v", err, time.Since(begin))
		}
	})
}
