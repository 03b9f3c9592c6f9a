package registration_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// blockedLog takes no line in the first and in the third while after its start.
type blockedLog struct {
	strings.Builder
	start time.Time
	while time.Duration
}

func (l *blockedLog) Write(line []byte) (int, error) {
	for _, from := range []time.Duration{0, 2 * l.while} {
		if at := time.Since(l.start); from <= at && at < from+l.while {
			time.Sleep(from + l.while - at)
		}
	}
	return l.Builder.Write(line)
}

// linesOf returns what a node logs in four hours, if the log is blocked twice for so long.
func linesOf(t *testing.T, blocked time.Duration) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		log := &blockedLog{start: time.Now(), while: blocked}
		c := config(t, &wire{})
		c.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		node := beating(t, c, ready)
		time.Sleep(4 * time.Hour)
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
		lines = strings.Split(strings.TrimSpace(log.String()), "\n")
	})
	return lines
}

// A log that was too slow says so each time, and how many lines it lacks.
func TestLostLinesAreCountedOnce_heavy(t *testing.T) {
	race.Skip(t)
	all, taken := linesOf(t, 0), linesOf(t, time.Hour)
	counts := regexp.MustCompile(`lines_lost=(\d+)`).FindAllStringSubmatch(strings.Join(taken, "\n"), -1)
	if len(counts) != 2 {
		t.Fatalf("%d of %d lines count those that were lost, want two", len(counts), len(taken))
	}
	first, _ := strconv.Atoi(counts[0][1])
	second, _ := strconv.Atoi(counts[1][1])
	if first == 0 || second == 0 || first+second+len(taken) != len(all) {
		t.Errorf("%d lines are there, and %d and %d are said to be lost, of %d", len(taken), first, second, len(all))
	}
}

// faulty is a log handler that loses its first lines.
type faulty struct {
	slog.Handler
	lose  func() error
	lines *int // that are still to be lost
}

func (f faulty) WithAttrs(attrs []slog.Attr) slog.Handler {
	return faulty{f.Handler.WithAttrs(attrs), f.lose, f.lines}
}

func (f faulty) Handle(ctx context.Context, r slog.Record) error {
	if *f.lines--; *f.lines >= 0 {
		return f.lose()
	}
	return f.Handler.Handle(ctx, r)
}

// A handler that fails costs a line, and no more. The next line that it takes counts those lost.
func TestALineThatTheHandlerLosesIsCounted(t *testing.T) {
	for name, lose := range map[string]func() error{
		"fails":              func() error { return errors.New("the disk is full") },
		"panics":             func() error { panic("no handler") },
		"ends its goroutine": func() error { runtime.Goexit(); return nil },
	} {
		for lost := 1; lost <= 2; lost++ {
			t.Run(fmt.Sprintf("%s %d times", name, lost), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var log strings.Builder
					left := lost
					c := config(t, &wire{})
					c.Logger = slog.New(faulty{slog.NewTextHandler(&log, nil), lose, &left})
					node := beating(t, c, ready)
					time.Sleep(time.Minute)
					node.Stop(t.Context())
					lines := strings.Split(strings.TrimSpace(log.String()), "\n")
					count := "lines_lost=" + strconv.Itoa(lost)
					if len(lines) != 3-lost || !strings.HasSuffix(lines[0], count) ||
						strings.Count(log.String(), "lines_lost") != 1 {
						t.Errorf("logged is %q", lines)
					}
				})
			})
		}
	}
}

// story returns what a node logs in its life, without what differs from run to run, and its events, each
// with the time until the next request and a mark if something was wrong.
func story(
	t *testing.T, answers func(n int, r request) answer, live func(*testing.T, *registration.Node),
) (lines, events string) {
	var log strings.Builder
	id := regexp.MustCompile(` \(correlation id \w+\)`)
	options := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "node_id", "machine_id", "correlation_id":
			return slog.Attr{}
		case "error":
			return slog.String("error", id.ReplaceAllString(a.Value.String(), ""))
		}
		return a
	}}
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{answer: answers})
		c.Logger = slog.New(slog.NewTextHandler(&log, options))
		c.RegisterEvery = 20 * time.Second
		c.OnEvent = func(e registration.Event) {
			if events += " " + string(e.Type); e.Err != nil {
				events += "!"
			}
			if e.Next != 0 {
				events += "+" + e.Next.String()
			}
		}
		live(t, newNode(t, c))
		synctest.Wait()
	})
	return log.String(), events
}

// beatsFor has a node live for a while, and deregister.
func beatsFor(d time.Duration) func(*testing.T, *registration.Node) {
	return func(t *testing.T, n *registration.Node) {
		if err := errors.Join(n.Register(t.Context()), n.StartHeartbeat(t.Context(), ready)); err != nil {
			t.Error(err)
		}
		time.Sleep(d)
		_ = n.Deregister(t.Context())
	}
}

// isOvertaken has a node notify during its third request, a heartbeat, with a status callback that fails
// every other time and a context that ends.
func isOvertaken(t *testing.T, n *registration.Node) {
	ctx, cancel := context.WithTimeout(t.Context(), 17*time.Second)
	defer cancel()
	fails := true
	status := func(ctx context.Context) ([]registration.PoolStatus, error) {
		if fails = !fails; fails {
			return nil, errors.New("no driver")
		}
		return ready(ctx)
	}
	if err := errors.Join(n.Register(t.Context()), n.StartHeartbeat(ctx, status)); err != nil {
		t.Error(err)
	}
	time.Sleep(15200 * time.Millisecond)
	n.Notify()
	time.Sleep(5 * time.Second)
	if err := n.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func isRefused(t *testing.T, n *registration.Node) {
	if err := n.Register(t.Context()); !errors.Is(err, registration.ErrRefused) {
		t.Error(err)
	}
	if err := n.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheLogOfALife(t *testing.T) {
	late := answer{delay: 100 * time.Millisecond}
	away := answer{status: http.StatusServiceUnavailable}
	lost := answer{status: http.StatusNotFound, body: "{}", delay: time.Second}
	for name, test := range map[string]struct {
		answers []answer // the last one is that of all others, too
		live    func(*testing.T, *registration.Node)
		lines   string
		events  string
	}{
		"an outage, and a record that is lost": {
			[]answer{late, late, late, late, late, away, away, late, late, lost, late},
			beatsFor(50 * time.Second), `
level=INFO msg="registered with orchestratord" next=500ms reason=started
level=INFO msg=online next=14.4s
level=DEBUG msg="registered with orchestratord" next=0s reason=refreshed
level=DEBUG msg=online next=9.8s
level=DEBUG msg=heartbeat next=9.9s
level=WARN msg="register failed" next=300ms error="register: orchestratord unavailable: orchestratord answered 503"
level=WARN msg="heartbeat failed" next=550ms error="heartbeat: orchestratord unavailable: orchestratord answered 503"
level=INFO msg=online next=9.05s outage=950ms
level=DEBUG msg="registered with orchestratord" next=0s reason=refreshed
level=WARN msg="orchestratord does not know this node: registering again" next=0s
level=INFO msg="registered with orchestratord" next=0s reason=forgotten
level=INFO msg=online next=8.7s outage=200ms
level=INFO msg="deregistered from orchestratord"
`,
			` registered+500ms online+14.4s registered+1ns online+9.8s heartbeat+9.9s failed!+300ms failed!+550ms` +
				` online+9.05s registered+1ns forgotten!+1ns registered+1ns online+8.7s deregistered`,
		},
		"news, and silence": {
			[]answer{{}, {}, {}, {delay: time.Hour}, {}},
			isOvertaken, `
level=INFO msg="registered with orchestratord" next=500ms reason=started
level=INFO msg=online next=14.5s
level=DEBUG msg="registered with orchestratord" next=0s reason=refreshed
level=WARN msg="heartbeats do not carry the status as it is" error="the status callback failed: no driver"
level=DEBUG msg="heartbeat failed" next=300ms error="heartbeat: orchestratord unavailable: no connection: ` +
				`it took so long that a newer status was sent instead"
level=INFO msg="heartbeats carry fresh status again"
level=DEBUG msg=online next=8.8s
level=WARN msg="the heartbeats have ended with their context: orchestratord will count this node as offline"
level=INFO msg="stopped, still registered"
`,
			` registered+500ms online+14.5s registered+1ns status_fault! failed!+300ms status_fresh online+8.8s` +
				` silent stopped`,
		},
		"an end in vain": {
			[]answer{{}, {status: http.StatusMethodNotAllowed}},
			beatsFor(0), `
level=INFO msg="registered with orchestratord" next=500ms reason=started
level=WARN msg="deregister failed" error="deregister: refused: orchestratord answered 405"
level=INFO msg="stopped, still registered"
`,
			` registered+500ms failed! stopped`,
		},
		"an end without a record": {
			[]answer{{}, lost},
			beatsFor(0), `
level=INFO msg="registered with orchestratord" next=500ms reason=started
level=INFO msg="deregistered from orchestratord"
`,
			` registered+500ms deregistered`,
		},
		"an end as the record turns out to be lost": {
			[]answer{{}, lost},
			beatsFor(time.Second), `
level=INFO msg="registered with orchestratord" next=500ms reason=started
level=WARN msg="orchestratord does not know this node"
level=INFO msg="ended: orchestratord has no record of this node"
`,
			` registered+500ms forgotten! deregistered`,
		},
		"a refusal": {
			[]answer{plain(http.StatusUnprocessableEntity, "no")},
			isRefused, `
level=WARN msg="register failed" error="register: refused: orchestratord answered 422: no"
level=INFO msg="ended: orchestratord has no record of this node"
`,
			` failed! deregistered`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			answers := func(n int, _ request) answer { return test.answers[min(n, len(test.answers)-1)] }
			lines, events := story(t, answers, test.live)
			if diff := cmp.Diff(strings.TrimPrefix(test.lines, "\n"), lines); diff != "" {
				t.Errorf("logged is (-want +got):\n%s", diff)
			}
			if events != test.events {
				t.Errorf("events are%s, want%s", events, test.events)
			}
		})
	}
}
