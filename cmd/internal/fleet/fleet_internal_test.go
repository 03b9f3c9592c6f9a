package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// network is what lies between a fleet and a mock orchestratord in memory.
type network struct {
	mock  *mockserver.Server
	to    http.RoundTripper
	fault fault
}

// fault answers in orchestratord's place, with an answer or an error, or does not, with
// neither.
type fault func(r *http.Request, to http.RoundTripper) (*http.Response, error)

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.fault != nil {
		if response, err := n.fault(r, n.to); response != nil || err != nil {
			return response, err
		}
	}
	return n.to.RoundTrip(r)
}

func isHeartbeat(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/heartbeat") }

func answered(r *http.Request, status int, body string) (*http.Response, error) {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		Request: r,
	}, nil
}

// between returns a fault that lasts from one time to another.
func between(from, to time.Duration, trouble func(*http.Request) (*http.Response, error)) fault {
	begin := time.Now()
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if at := time.Since(begin); at < from || at >= to {
			return nil, nil
		}
		return trouble(r)
	}
}

// simulate runs a fleet of 20 nodes for two minutes of a bubble's time, and returns
// its report and those whom orchestratord knows afterwards.
func simulate(
	t *testing.T, ctx context.Context, fault fault, change func(*Settings), out ...io.Writer,
) (*Report, []string) {
	t.Helper()
	result, left, err := tried(t, ctx, fault, change, out...)
	if err != nil {
		t.Fatal(err)
	}
	return result, left
}

// tried is simulate for a fleet that may fail.
func tried(
	t *testing.T, ctx context.Context, fault fault, change func(*Settings), out ...io.Writer,
) (*Report, []string, error) {
	t.Helper()
	mock, err := mockserver.New()
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	s := Settings{
		Node: registration.Config{
			OrchestratordURL: "http://orchestratord", Address: "http://127.0.0.1:9200", Pools: []string{"pool-0"},
			Capabilities: MadeUp(), Version: "0.1.0",
			HeartbeatInterval: 10 * time.Second,
			Jitter:            func() float64 { return 0.5 }, // ticks lie 5 s after registrations
			HTTPClient:        &http.Client{Transport: &network{mock, mocktest.Transport(mock), fault}},
		},
		Prefix: "sim", Nodes: 20, Ramp: 10 * time.Second, Lifetime: 2 * time.Minute,
		Connections: 256, KillShare: 0.1, Down: 45 * time.Second,
	}
	if change != nil {
		change(&s)
	}
	result, err := Run(ctx, s, io.MultiWriter(out...))
	var left []string
	for _, node := range mock.Nodes() {
		left = append(left, node.Registration.NodeID)
	}
	return result, left, err
}

func TestAFleetThatIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress strings.Builder
		r, left := simulate(t, t.Context(), nil, nil, &progress)
		// A line every 10 s for 130 s, and one for each phase.
		if lines := strings.Count(progress.String(), "\n"); lines < 12 || lines > 18 ||
			!strings.Contains(progress.String(), "s: 20 nodes up, 1") ||
			!strings.Contains(progress.String(), " heartbeats, 2/s; 0 retried, 0 missed, 0 late\n") ||
			!strings.Contains(progress.String(), "registering 1s: ") ||
			!strings.Contains(progress.String(), "running ") || strings.Contains(progress.String(), "\x1b") {
			t.Errorf("progress is\n%s", progress.String())
		}
		// Each node beats every 10 s, the first time within 10 s of its registration.
		if b := r.Beats; b.Sent != b.Answered || b.Sent < 20*11 || b.Sent > 20*13 || b.Missed+b.Late+b.Retried != 0 {
			t.Errorf("heartbeats are %+v", b)
		}
		if want := (member{Prefix: "sim", Nodes: 20, Interval: 10, Ran: 10*19./20 + 120}); r.Fleets[0] != want {
			t.Errorf("the fleet is %+v, want %+v", r.Fleets[0], want)
		}
		if m := r.Machine; m.Connections != 256 || m.InFlight == 0 || m.Waiting != 0 || m.Base == 0 ||
			m.Memory < 0 || m.Goroutines < 0 {
			t.Errorf("its machine is %+v", m)
		}
		if r.Registered != 20 || r.Registrations != 20 || r.Orchestratord.Online != 20 || r.Broken() != nil ||
			r.limits() != nil {
			t.Errorf("report is %+v: %v, %v", r, r.Broken(), r.limits())
		}
		if len(left) != 0 || r.Left != 0 {
			t.Errorf("left on record: %v, reported %d", left, r.Left)
		}
	})
}

func TestWhatAFleetGoesThrough_heavy(t *testing.T) {
	race.Skip(t)
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	const taken = `{"success":true,"next_heartbeat_ms":10000}`
	for name, test := range map[string]struct {
		fault  func() fault
		change func(*Settings)
		check  func(r *Report) bool
		broken string // part of the promises broken, empty for none
		limits string
	}{
		"slow answers": {
			fault: func() fault {
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if isHeartbeat(r) {
						time.Sleep(1500 * time.Millisecond)
					}
					return nil, nil
				}
			},
			check: func(r *Report) bool {
				// First heartbeats have no tick to be late for. What is under way at the end for more than a second is
				// missed.
				return r.Beats.Late == r.Beats.Answered && r.Beats.Missed < 20 &&
					r.Latency.at(50) >= 1500*time.Millisecond
			},
			broken: "heartbeats late: ",
		},
		"answers that are nearly slow": {
			fault: func() fault {
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					time.Sleep(900 * time.Millisecond)
					return nil, nil
				}
			},
			check: func(r *Report) bool { return r.Beats.Late == 0 && r.Beats.Retried == 0 },
		},
		"an outage of three ticks": {
			fault: func() fault {
				return between(time.Minute, 90*time.Second,
					func(*http.Request) (*http.Response, error) { return nil, refused })
			},
			check: func(r *Report) bool {
				return r.Beats.Missed >= 20*2 && r.Beats.Missed <= 20*4 && r.Beats.Retried > 0 &&
					r.Failures["heartbeat: connection refused"] > 0
			},
			broken: "heartbeats missed: ",
		},
		"an outage until the end": {
			fault: func() fault {
				return between(time.Minute, 130*time.Second,
					func(*http.Request) (*http.Response, error) { return nil, refused })
			},
			check:  func(r *Report) bool { return r.Beats.Missed >= 20*6 && r.Beats.Missed <= 20*7 },
			broken: "orchestratord could not be asked",
		},
		"a list that takes long": {
			fault: func() fault {
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if r.URL.Path == "/v2/nodes" {
						time.Sleep(25 * time.Second)
					}
					return nil, nil
				}
			},
			check: func(r *Report) bool { return r.Beats.Sent <= 20*13 && r.Beats.Sent == r.Beats.Answered },
		},
		"a quick retry": {
			fault: func() fault {
				failed := map[string]bool{}
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if isHeartbeat(r) && len(failed) < 5 && !failed[r.URL.Path] {
						failed[r.URL.Path] = true
						return answered(r, http.StatusInternalServerError, "")
					}
					return nil, nil
				}
			},
			change: func(s *Settings) { s.Node.MaxBackoff = 100 * time.Millisecond },
			check: func(r *Report) bool {
				return r.Beats.Retried == 5 && r.Beats.Missed == 0 && r.Beats.Late == 0 &&
					r.Failures["heartbeat: answered 500"] == 5
			},
		},
		"a garbled answer": {
			fault: func() fault {
				var garbled atomic.Bool
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if isHeartbeat(r) && garbled.CompareAndSwap(false, true) {
						return answered(r, http.StatusOK, "<html>")
					}
					return nil, nil
				}
			},
			change: func(s *Settings) { s.Node.MaxBackoff = 100 * time.Millisecond },
			check:  func(r *Report) bool { return r.Failures["heartbeat: answered 200, but no success"] == 1 },
		},
		"a slow retry": {
			fault: func() fault {
				var failed sync.Map // of nodes whose next heartbeat is good
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if !isHeartbeat(r) {
						return nil, nil
					}
					if _, again := failed.LoadAndDelete(r.URL.Path); again {
						return nil, nil
					}
					failed.Store(r.URL.Path, true)
					response, err := answered(r, http.StatusServiceUnavailable, "")
					response.Header.Set("Retry-After", "2")
					return response, err
				}
			},
			check: func(r *Report) bool {
				return r.Beats.Late == r.Beats.Answered && r.Beats.Retried > 0 && r.Latency.at(50) > 2*time.Second &&
					r.SentLate == 0
			},
			broken: "heartbeats late: ",
		},
		"a node that is forgotten": {
			fault: func() fault {
				var forgotten atomic.Bool
				return between(time.Minute, time.Hour, func(r *http.Request) (*http.Response, error) {
					if !isHeartbeat(r) || !forgotten.CompareAndSwap(false, true) {
						return nil, nil
					}
					return answered(r, http.StatusNotFound, "")
				})
			},
			check: func(r *Report) bool { return r.Again == 1 && r.Registrations == 21 },
		},
		"a node that goes offline": {
			fault: func() fault {
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					if isHeartbeat(r) && strings.Contains(r.URL.Path, "/sim-3/") {
						return answered(r, http.StatusOK, taken)
					}
					return nil, nil
				}
			},
			change: func(s *Settings) { s.Lifetime = time.Minute },
			check:  func(r *Report) bool { return r.Orchestratord.Online == 19 && r.Beats.Missed == 0 },
			broken: "Offline to orchestratord: 1",
		},
		"a node that is lost": {
			fault: func() fault {
				return func(r *http.Request, to http.RoundTripper) (*http.Response, error) {
					if !isHeartbeat(r) || !strings.Contains(r.URL.Path, "/sim-3/") {
						return nil, nil
					}
					farewell, _ := http.NewRequest(http.MethodDelete, strings.TrimSuffix(r.URL.String(), "/heartbeat"),
						nil)
					if response, err := to.RoundTrip(farewell); err == nil {
						response.Body.Close()
					}
					return answered(r, http.StatusOK, taken)
				}
			},
			check:  func(r *Report) bool { return r.Orchestratord.Online == 19 },
			broken: "unknown to orchestratord: 1",
		},
		"crashes": {
			change: func(s *Settings) { s.KillRate, s.KillShare, s.Down = 1, 0.5, 20*time.Second },
			check: func(r *Report) bool {
				down := int(r.Trouble.Killed - r.Trouble.Revived)
				return r.Trouble.Revived >= 20 && down <= 10 && r.Registered == 20 &&
					r.Orchestratord.Online+r.Orchestratord.Registering == 20-down
			},
		},
		"crashes of nodes that have just started": {
			change: func(s *Settings) { s.KillRate, s.KillShare, s.Down, s.Lifetime = 1000, 1, 0, time.Second },
			check:  func(r *Report) bool { return r.Trouble.Revived > 500 && r.Again == 0 },
		},
		"a crash in an outage": {
			fault: func() fault {
				return between(time.Minute, 115*time.Second,
					func(*http.Request) (*http.Response, error) { return nil, refused })
			},
			change: func(s *Settings) { s.Nodes, s.KillRate, s.KillShare, s.Down = 1, 0.01, 1, time.Hour },
			check:  func(r *Report) bool { return r.Trouble.Killed == 1 && r.Beats.Missed == 4 },
			broken: "heartbeats missed: ",
		},
		"changes": {
			change: func(s *Settings) { s.ChangeRate = 2 },
			check: func(r *Report) bool {
				return r.Trouble.Changed > 200 && r.Beats.Sent > 20*13 &&
					r.Orchestratord.Online+r.Orchestratord.Draining == 20
			},
		},
		"no file descriptors": {
			fault: func() fault {
				return between(time.Minute, time.Minute+time.Second, func(*http.Request) (*http.Response, error) {
					return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
				})
			},
			change: func(s *Settings) { s.Node.MaxBackoff = 100 * time.Millisecond },
			check:  func(r *Report) bool { return r.Machine.NoFile > 0 },
			limits: "ulimit -n",
		},
		"few connections": {
			fault: func() fault {
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					time.Sleep(600 * time.Millisecond)
					return nil, nil
				}
			},
			change: func(s *Settings) { s.Connections = 1 },
			check:  func(r *Report) bool { return r.Machine.InFlight > 1 && r.Machine.Waiting == r.Machine.InFlight-1 },
			limits: "--connections",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var trouble fault
				if test.fault != nil {
					trouble = test.fault()
				}
				r, left := simulate(t, t.Context(), trouble, test.change)
				var table strings.Builder
				_ = r.writeText(&table)
				if !test.check(r) {
					t.Errorf("report is\n%s", table.String())
				}
				if r.Beats.Late > 0 && r.Latency.max <= lateAfter {
					t.Errorf("no latency shows what was late in\n%s", table.String())
				}
				if broken := strings.Join(r.Broken(), "; "); (broken == "") != (test.broken == "") ||
					!strings.Contains(broken, test.broken) {
					t.Errorf("broken is %q, want %q, in\n%s", broken, test.broken, table.String())
				}
				if limits := strings.Join(r.limits(), "; "); (limits == "") != (test.limits == "") ||
					!strings.Contains(limits, test.limits) {
					t.Errorf("limits met are %q, want %q", limits, test.limits)
				}
				if len(left) != 0 || r.Left != 0 {
					t.Errorf("left on record: %v, reported %d", left, r.Left)
				}
			})
		})
	}
}

func TestAFleetThatIsInterrupted(t *testing.T) {
	for name, after := range map[string]time.Duration{"in its ramp": 5 * time.Second, "while it runs": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				begin := time.Now()
				slow := func(*http.Request, http.RoundTripper) (*http.Response, error) {
					time.Sleep(300 * time.Millisecond) // so that there is a request to interrupt
					return nil, nil
				}
				r, left := simulate(t, ctx, slow, func(s *Settings) { s.Lifetime = 0 })
				broken := strings.Join(r.Broken(), "; ")
				if len(r.Failures) != 0 || r.Registered == 0 || r.Registered+r.Unregistered != 20 || len(left) != 0 ||
					time.Since(begin) < after || time.Since(begin) > after+2*time.Second {
					t.Errorf("after %v the report is %+v, and left on record is %v", time.Since(begin), r, left)
				}
				if (broken == "") != (r.Unregistered == 0) || r.Unregistered > 0 &&
					broken != fmt.Sprintf("nodes not registered when the fleet was interrupted: %d", r.Unregistered) {
					t.Errorf("%d nodes were not registered, and broken is %q", r.Unregistered, broken)
				}
				if inRamp := after < 10*time.Second; inRamp != (r.Unregistered > 0) {
					t.Errorf("%d nodes were not registered", r.Unregistered)
				}
			})
		})
	}
}

// An orchestratord may answer more than the nodes, and in any order.
func TestAListWithAnotherListInFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longer := func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if r.Method != http.MethodGet {
				return nil, nil
			}
			response, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			response.Body = io.NopCloser(strings.NewReader(`{"warnings":[],` + strings.TrimPrefix(string(answer), "{")))
			return response, err
		}
		r, _ := simulate(t, t.Context(), longer, nil)
		if o := r.Orchestratord; o.Error != "" || o.Online+o.Draining != 20 {
			t.Errorf("orchestratord sees the nodes as %+v", o)
		}
	})
}

// Nodes without a token send none, and neither does who asks for the list.
func TestAFleetWhoseSourceHasNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stated := func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			if got := r.Header.Values("Authorization"); got != nil {
				t.Errorf("%s %s has the Authorization %q", r.Method, r.URL, got)
			}
			return nil, nil
		}
		simulate(t, t.Context(), stated, func(s *Settings) {
			s.Nodes, s.Lifetime = 1, time.Second
			s.Node.APIToken = func(context.Context) (string, error) { return "", nil }
		})
	})
}

// A fleet leaves as far as orchestratord lets it, within a minute, and reports who is left.
func TestAFleetThatLeaves_heavy(t *testing.T) {
	const end, nearly = 30 * time.Second, 29 * time.Second
	swallowed := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	for name, test := range map[string]struct {
		nodes   int
		from    time.Duration
		trouble func(*http.Request) (*http.Response, error)
		left    int // at the least
		failure string
		within  time.Duration
	}{
		"from one that does not deregister": {
			20, nearly, func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodDelete {
					return nil, nil
				}
				return answered(r, http.StatusInternalServerError, "")
			}, 20, "deregister: answered 500", 5 * time.Second,
		},
		"from one that is gone": {
			500, 15 * time.Second, func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			}, 500, "deregister: connection refused", 5 * time.Second,
		},
		"from one that is slow, and does not list its nodes": {
			500, nearly, func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodDelete {
					return answered(r, http.StatusServiceUnavailable, "")
				}
				time.Sleep(time.Second)
				return nil, nil
			}, 0, "", 10 * time.Second,
		},
		"when the network swallows everything": {
			1000, nearly, swallowed, 1, "deregister: no answer in time", time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.nodes > 100 {
				race.Skip(t)
			}
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				r, left := simulate(t, t.Context(), between(test.from, time.Hour, test.trouble), func(s *Settings) {
					s.Nodes, s.Lifetime = test.nodes, end-s.Ramp
				})
				if took := time.Since(begin); took > end+test.within {
					t.Errorf("it left within %v", took-end)
				}
				if r.Left != len(left) || r.Left < test.left || test.left == 0 && r.Left > 0 {
					t.Errorf("left on record: %d, reported %d, want %d", len(left), r.Left, test.left)
				}
				var table strings.Builder
				_ = r.writeText(&table)
				if (r.Failures[test.failure] > 0) != (r.Left > 0) ||
					strings.Contains(table.String(), "nodes left on record") != (r.Left > 0) {
					t.Errorf("report is\n%s", table.String())
				}
				time.Sleep(registration.DefaultRequestTimeout) // what is in flight still comes to its end
			})
		})
	}
}

func TestAFleetKnowsItsOwnNodes(t *testing.T) {
	s := Settings{Prefix: "sim-1", Nodes: 20}
	for id, ours := range map[string]bool{
		"sim-1-0": true, "sim-1-19": true,
		"sim-1-20": false, "sim-1-007": false, "sim-1-+3": false, "sim-1--1": false, "sim-1-": false, "sim-1": false,
		"sim-11-3": false, "sim-1-3-4": false,
	} {
		if index, is := s.index(id); is != ours || is && s.id(index) != id {
			t.Errorf("%s is node %d of the fleet: %v", id, index, is)
		}
	}
}

// A fleet that had connections to spare takes nothing off what others waited for.
func TestWaitingAddsUp(t *testing.T) {
	var files []string
	for prefix, m := range map[string]machine{
		"calm": {Connections: 256, InFlight: 8},
		"busy": {Connections: 256, InFlight: 300, Waited: 50, Waiting: 44},
	} {
		files = append(files, written(t, &Report{Fleets: []member{{Prefix: prefix}}, tally: newTally(), Machine: m}))
	}
	sum, err := Merge(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	limits := strings.Join(sum.limits(), "; ")
	if limits != "50 requests waited for one of 512 connections, up to 44 at once: --connections sets how many" {
		t.Errorf("limits met are %q", limits)
	}
}

// written returns a file with a report.
func written(t *testing.T, r *Report) string {
	file := filepath.Join(t.TempDir(), "report.json")
	var text bytes.Buffer
	if err := errors.Join(r.writeJSON(&text), os.WriteFile(file, text.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}

// A registration that renews a record is none of a node that orchestratord had lost.
func TestARenewalIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := simulate(t, t.Context(), nil, func(s *Settings) { s.Node.RegisterEvery = 20 * time.Second })
		if r.Registrations < 100 || r.Again != 0 || r.Broken() != nil {
			t.Errorf("%d registrations, %d again, broken %v", r.Registrations, r.Again, r.Broken())
		}
	})
}

// TestALateFirstBeatIsNoLoss has a node send its first heartbeat late, or again. The tick after it is
// as far away as it may be, which is no missed one.
func TestALateFirstBeatIsNoLoss(t *testing.T) {
	const interval = 10 * time.Second
	due := time.Unix(1_000_000_000, 0)
	for _, test := range []struct {
		late, next time.Duration // next is from when it was sent
		retried    time.Duration // when it was due again, after the tick
		missed     int64
		lates      int64 // answers that came late
	}{
		{late: 0, next: interval*3/2 - 1},
		{late: 100 * time.Millisecond, next: interval*3/2 - 1},
		{late: 100 * time.Millisecond, next: interval/2 + 1},
		{late: 100 * time.Millisecond, next: interval * 2, missed: 1},
		{retried: time.Second, next: interval*3/2 - 1, lates: 1},
		{retried: 2 * interval, next: interval, missed: 2},
	} {
		const took = time.Millisecond
		ledger, first := newLedger(), &account{tick: due}
		ledger.answered(first, registration.Event{
			Time: due.Add(test.retried + test.late + took), Due: due.Add(test.retried), Took: took,
			Next: test.next - took,
		}, interval)
		if got := ledger.beats(); got.Missed != test.missed || got.Late != test.lates {
			t.Errorf("sent %v late, the next %v later: %+v, want %d missed", test.late, test.next, got, test.missed)
		}
	}
}
