package registration_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// warnings returns the lines at WARN that a node logs while its heartbeats are answered so.
func warnings(t *testing.T, alive time.Duration, beat func(n int) answer) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		beats := 0
		c := config(t, &wire{answer: func(_ int, r request) answer {
			if r.op != "heartbeat" {
				return answer{}
			}
			beats++
			return beat(beats)
		}})
		c.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
		node := beating(t, c, ready)
		time.Sleep(alive)
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		lines = strings.Split(strings.TrimSpace(out.String()), "\n")
	})
	return lines
}

// A log in which the last line names a reason of a minute ago sends people the wrong way.
func TestEachChangeOfReasonIsLogged(t *testing.T) {
	lines := warnings(t, 25*time.Second, func(n int) answer {
		return []answer{
			plain(503, "a rollout"), plain(503, "a restart"), plain(503, "a restart"), plain(500, "a restart"),
			plain(503, "a rollout"),
		}[min(n-1, 4)]
	})
	got := ""
	for i, line := range lines {
		if strings.Contains(line, "failing_for=") != (i >= 2) {
			t.Errorf("line %d is %s, want the third and later ones to say how long the trouble has lasted", i, line)
		}
		for _, reason := range []string{"rollout", "restart"} {
			if strings.Contains(line, reason) {
				got += reason + " "
			}
		}
	}
	if want := "rollout restart restart rollout "; got != want {
		t.Errorf("the reasons logged are %q, want %q:\n%s", got, want, strings.Join(lines, "\n"))
	}
}

// A trouble that lasts is logged again, less and less often. Other numbers are no other reason.
func TestATroubleThatLastsIsLoggedAgain_heavy(t *testing.T) {
	race.Skip(t)
	lines := warnings(t, 4*time.Hour, func(n int) answer { return plain(503, fmt.Sprintf("%d of 90 wait", n)) })
	var after []time.Duration
	for _, line := range lines {
		_, lasts, _ := strings.Cut(line, "failing_for=")
		d, _ := time.ParseDuration(lasts)
		after = append(after, d.Truncate(time.Minute))
	}
	want := []time.Duration{
		0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour,
	}
	if !slices.Equal(after, want) {
		t.Errorf("it is logged after %v, want %v", after, want)
	}
}

// A node that was not used for a day does not make up for reminders.
func TestAnOldTroubleIsLoggedAgainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		c := config(t, &wire{answer: func(int, request) answer { return plain(503, "maintenance") }})
		c.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelWarn}))
		node := newNode(t, c)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute/2)
			node.Register(ctx)
			cancel()
			time.Sleep(24 * time.Hour)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(lines.String(), "register failed"); n != 2 {
			t.Errorf("two outages a day apart are logged in %d lines:\n%s", n, lines.String())
		}
	})
}

// There are eight changes of reason, and as many after each reminder.
func TestReasonsWithoutEndDoNotFillTheLog_heavy(t *testing.T) {
	race.Skip(t)
	letters := func(r rune) rune { return r - '0' + 'a' }
	lines := warnings(t, 4*time.Hour, func(n int) answer {
		return plain(503, "incident "+strings.Map(letters, fmt.Sprint(n)))
	})
	if want := 8 + 6*(1+8); len(lines) != want {
		t.Errorf("%d lines in 4 hours, want %d", len(lines), want)
	}
}

func TestAFaultOfTheStatusIsLoggedOnceWhateverItsNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen recorder
		c := config(t, &wire{})
		c.OnEvent = seen.add
		free := int32(4)
		node := beating(t, c, func(context.Context) ([]registration.PoolStatus, error) {
			free++
			return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: free, SlotsTotal: 4}}, nil
		})
		time.Sleep(time.Minute)
		node.Stop(t.Context())
		synctest.Wait()
		faults := 0
		for _, e := range seen.types() {
			if e == registration.EventStatusFault {
				faults++
			}
		}
		if faults != 1 {
			t.Errorf("%d events of a fault that goes on, want 1", faults)
		}
	})
}

// untraced is a transport that reports nothing of its connections. Its first request fails at op.
type untraced struct {
	op       string
	requests int
}

func (u *untraced) RoundTrip(*http.Request) (*http.Response, error) {
	if u.requests++; u.requests > 1 {
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
	}
	return nil, &net.OpError{Op: u.op, Err: errors.New("no luck")}
}

func TestWhatWasNotDialledIsNotDeregistered(t *testing.T) {
	for op, want := range map[string]int{"dial": 1, "read": 2} {
		synctest.Test(t, func(t *testing.T) {
			transport := &untraced{op: op}
			c := config(t, nil)
			c.HTTPClient = &http.Client{Transport: transport}
			node := newNode(t, c)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := node.Register(ctx); !errors.Is(err, registration.ErrUnavailable) {
				t.Errorf("Register returned %v", err)
			}
			if err := node.Deregister(t.Context()); err != nil || transport.requests != want {
				t.Errorf("failing at %s: Deregister returned %v, and %d requests were made, want %d", op, err,
					transport.requests, want)
			}
		})
	}
}

// A server that gives another reason each time does not fill the log.
func TestOtherReasonsAgainAndAgainDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if r.op == "heartbeat" {
				return plain(http.StatusServiceUnavailable, "queue "+strings.Repeat("x", n))
			}
			return answer{}
		}}
		var lines strings.Builder
		c := config(t, w)
		c.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelWarn}))
		node := beating(t, c, ready)
		time.Sleep(50 * time.Second)
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(lines.String(), "\n"); n < 2 || n > 8 {
			t.Errorf("%d lines about %d failures, want 8 at the most", n, len(w.of("heartbeat")))
		}
	})
}
