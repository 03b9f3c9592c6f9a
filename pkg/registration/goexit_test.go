package registration_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

type leavingTransport struct{}

func (leavingTransport) RoundTrip(*http.Request) (*http.Response, error) {
	runtime.Goexit()
	return nil, nil
}

// A function that ends its goroutine, as FailNow of a test does, has not succeeded.
func TestWhatEndsItsGoroutineHasFailed(t *testing.T) {
	for name, change := range map[string]func(*registration.Config){
		"token source": func(c *registration.Config) {
			c.APIToken = func(context.Context) (string, error) { runtime.Goexit(); return "", nil }
		},
		"transport": func(c *registration.Config) { c.HTTPClient = &http.Client{Transport: leavingTransport{}} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := config(t, &wire{})
				change(&c)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := newNode(t, c).Register(ctx)
				if err == nil || !strings.Contains(err.Error(), "ended its goroutine") {
					t.Errorf("Register returned %v", err)
				}
			})
		})
	}
}

func TestACallbackThatEndsItsGoroutineIsCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{})
		var seen []registration.Event
		c.OnEvent = func(e registration.Event) {
			if seen = append(seen, e); len(seen) == 1 {
				runtime.Goexit()
			}
		}
		calls := 0
		node := beating(t, c, func(ctx context.Context) ([]registration.PoolStatus, error) {
			if calls++; calls == 1 {
				runtime.Goexit()
			}
			return ready(ctx)
		})
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if calls < 2 || node.Status().StatusFault != nil {
			t.Errorf("after %d calls of the status callback its fault is %v", calls, node.Status().StatusFault)
		}
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		last := seen[len(seen)-1]
		if last.Type != registration.EventDeregistered || last.Dropped != 1 {
			t.Errorf("the last of %d events is %+v", len(seen), last)
		}
	})
}

func TestRunLeavesAfterADrainThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		drain func(context.Context)
		want  string
	}{
		"panics":             {func(context.Context) { panic("no\nway") }, "drain panicked: no<U+000A>way"},
		"ends its goroutine": {func(context.Context) { runtime.Goexit() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, standalone := range []bool{false, true} {
					w := &wire{}
					c := config(t, w)
					c.Drain, c.Standalone = test.drain, standalone
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					text := textOf(newNode(t, c).Run(ctx, ready))
					if left := strings.HasSuffix(w.ops(), "deregister"); text != test.want || left == standalone {
						t.Errorf("standalone %t: Run returned %q, want %q, and sent %s",
							standalone, text, test.want, w.ops())
					}
				}
			})
		})
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
