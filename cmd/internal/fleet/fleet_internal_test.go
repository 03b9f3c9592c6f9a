package fleet

import (
	"bytes"
	"errors"
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
	"github.com/llama-orch/node-registration/pkg/registration"
)

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
