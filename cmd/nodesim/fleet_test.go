package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/devcert"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
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
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
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
func simulate(t *testing.T, ctx context.Context, fault fault, change func(*settings), out ...io.Writer) (*report, []string) {
	t.Helper()
	mock, err := mockserver.New()
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	s := settings{
		node: withDemoDefaults(registration.Config{}), prefix: "sim", nodes: 20, ramp: 10 * time.Second, lifetime: 2 * time.Minute,
		connections: 256, killShare: defaultKillShare, down: defaultDown,
	}
	s.node.HeartbeatInterval = 10 * time.Second
	s.node.Jitter = func() float64 { return 0.5 } // ticks lie 5 s after registrations
	if change != nil {
		change(&s)
	}
	result, err := newSwarm(s, &network{mock, mocktest.Transport(mock), fault}, newProgress(io.MultiWriter(out...))).run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, node := range mock.Nodes() {
		left = append(left, node.Registration.NodeID)
	}
	return result, left
}

func TestAFleetThatIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress strings.Builder
		r, left := simulate(t, t.Context(), nil, nil, &progress)
		// A line every 10 s for 130 s, and one for each phase.
		if lines := strings.Count(progress.String(), "\n"); lines < 12 || lines > 18 || !strings.Contains(progress.String(), "s: 20 nodes up, 1") {
			t.Errorf("progress is\n%s", progress.String())
		}
		// Each node beats every 10 s, the first time within 10 s of its registration.
		if b := r.Beats; b.Sent != b.Answered || b.Sent < 20*11 || b.Sent > 20*13 || b.Missed+b.Late+b.Retried != 0 {
			t.Errorf("heartbeats are %+v", b)
		}
		if r.Registered != 20 || r.Registrations != 20 || r.Orchestratord.Online != 20 || r.broken() != nil || r.limits() != nil {
			t.Errorf("report is %+v: %v, %v", r, r.broken(), r.limits())
		}
		if len(left) != 0 || r.Left != 0 {
			t.Errorf("left on record: %v, reported %d", left, r.Left)
		}
	})
}

func TestWhatAFleetGoesThrough(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	const taken = `{"success":true,"next_heartbeat_ms":10000}`
	for name, test := range map[string]struct {
		fault  func() fault
		change func(*settings)
		check  func(r *report) bool
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
			check: func(r *report) bool {
				// First heartbeats have no tick to be late for. What is under way at the end for more than a second is missed.
				return r.Beats.Late == r.Beats.Answered && r.Beats.Missed < 20 && r.Latency.at(50) >= 1500*time.Millisecond
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
			check: func(r *report) bool { return r.Beats.Late == 0 && r.Beats.Retried == 0 },
		},
		"an outage of three ticks": {
			fault: func() fault {
				return between(time.Minute, 90*time.Second, func(*http.Request) (*http.Response, error) { return nil, refused })
			},
			check: func(r *report) bool {
				return r.Beats.Missed >= 20*2 && r.Beats.Missed <= 20*4 && r.Beats.Retried > 0 && r.Failures["heartbeat: connection refused"] > 0
			},
			broken: "heartbeats missed: ",
		},
		"an outage until the end": {
			fault: func() fault {
				return between(time.Minute, 130*time.Second, func(*http.Request) (*http.Response, error) { return nil, refused })
			},
			check:  func(r *report) bool { return r.Beats.Missed >= 20*6 && r.Beats.Missed <= 20*7 },
			broken: "orchestratord could not be asked",
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
			change: func(s *settings) { s.node.MaxBackoff = 100 * time.Millisecond },
			check: func(r *report) bool {
				return r.Beats.Retried == 5 && r.Beats.Missed == 0 && r.Beats.Late == 0 && r.Failures["heartbeat: answered 500"] == 5
			},
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
			check: func(r *report) bool {
				return r.Beats.Late == r.Beats.Answered && r.Beats.Retried > 0 && r.Latency.at(50) > 2*time.Second && r.SentLate == 0
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
			check: func(r *report) bool { return r.Again == 1 && r.Registrations == 21 },
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
			change: func(s *settings) { s.lifetime = time.Minute },
			check:  func(r *report) bool { return r.Orchestratord.Online == 19 && r.Beats.Missed == 0 },
			broken: "Offline to orchestratord: 1",
		},
		"a node that is lost": {
			fault: func() fault {
				return func(r *http.Request, to http.RoundTripper) (*http.Response, error) {
					if !isHeartbeat(r) || !strings.Contains(r.URL.Path, "/sim-3/") {
						return nil, nil
					}
					farewell, _ := http.NewRequest(http.MethodDelete, strings.TrimSuffix(r.URL.String(), "/heartbeat"), nil)
					if response, err := to.RoundTrip(farewell); err == nil {
						response.Body.Close()
					}
					return answered(r, http.StatusOK, taken)
				}
			},
			check:  func(r *report) bool { return r.Orchestratord.Online == 19 },
			broken: "unknown to orchestratord: 1",
		},
		"crashes": {
			change: func(s *settings) { s.killRate, s.killShare, s.down = 1, 0.5, 20*time.Second },
			check: func(r *report) bool {
				down := int(r.Trouble.Killed - r.Trouble.Revived)
				return r.Trouble.Revived >= 20 && down <= 10 && r.Registered == 20 &&
					r.Orchestratord.Online+r.Orchestratord.Registering == 20-down
			},
		},
		"crashes of nodes that have just started": {
			change: func(s *settings) { s.killRate, s.killShare, s.down, s.lifetime = 1000, 1, 0, time.Second },
			check:  func(r *report) bool { return r.Trouble.Revived > 500 && r.Again == 0 },
		},
		"a crash in an outage": {
			fault: func() fault {
				return between(time.Minute, 115*time.Second, func(*http.Request) (*http.Response, error) { return nil, refused })
			},
			change: func(s *settings) { s.nodes, s.killRate, s.killShare, s.down = 1, 0.01, 1, time.Hour },
			check:  func(r *report) bool { return r.Trouble.Killed == 1 && r.Beats.Missed == 4 },
			broken: "heartbeats missed: ",
		},
		"changes": {
			change: func(s *settings) { s.changeRate = 2 },
			check: func(r *report) bool {
				return r.Trouble.Changed > 200 && r.Beats.Sent > 20*13 && r.Orchestratord.Online+r.Orchestratord.Draining == 20
			},
		},
		"no file descriptors": {
			fault: func() fault {
				return between(time.Minute, time.Minute+time.Second, func(*http.Request) (*http.Response, error) {
					return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
				})
			},
			change: func(s *settings) { s.node.MaxBackoff = 100 * time.Millisecond },
			check:  func(r *report) bool { return r.Machine.NoFile > 0 },
			limits: "ulimit -n",
		},
		"few connections": {
			fault: func() fault {
				return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
					time.Sleep(600 * time.Millisecond)
					return nil, nil
				}
			},
			change: func(s *settings) { s.connections = 1 },
			check:  func(r *report) bool { return r.Machine.InFlight > 1 && r.Machine.Waiting == r.Machine.InFlight-1 },
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
				writeTable(&table, r)
				if !test.check(r) {
					t.Errorf("report is\n%s", table.String())
				}
				if r.Beats.Late > 0 && r.Latency.max <= lateAfter {
					t.Errorf("no latency shows what was late in\n%s", table.String())
				}
				if broken := strings.Join(r.broken(), "; "); (broken == "") != (test.broken == "") || !strings.Contains(broken, test.broken) {
					t.Errorf("broken is %q, want %q, in\n%s", broken, test.broken, table.String())
				}
				if limits := strings.Join(r.limits(), "; "); (limits == "") != (test.limits == "") || !strings.Contains(limits, test.limits) {
					t.Errorf("limits met are %q, want %q", limits, test.limits)
				}
				if len(left) != 0 || r.Left != 0 {
					t.Errorf("left on record: %v, reported %d", left, r.Left)
				}
			})
		})
	}
}

// A node that crashed and cannot register again before the fleet ends has a record all the same.
func TestACrashThatNobodyRecoversFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crash = 20 * time.Second
		begin := time.Now()
		var asked bool
		r, left := simulate(t, t.Context(), nil, func(s *settings) {
			s.nodes, s.ramp, s.lifetime = 1, 0, crash+5*time.Second
			s.killRate, s.killShare, s.down = 1/crash.Seconds(), 1, time.Second
			s.node.APIToken = func(ctx context.Context) (string, error) {
				if at := time.Since(begin); at < crash || at >= s.lifetime {
					return "token", nil
				}
				asked = true
				<-ctx.Done()
				return "", ctx.Err()
			}
		})
		if !asked || r.Trouble.Killed != 1 || r.Trouble.Revived != 0 {
			t.Errorf("the node was to start again: %t, report is %+v", asked, r)
		}
		if len(left) != 0 || r.Left != 0 {
			t.Errorf("left on record: %v, reported %d", left, r.Left)
		}
	})
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
				r, left := simulate(t, ctx, slow, func(s *settings) { s.lifetime = 0 })
				broken := strings.Join(r.broken(), "; ")
				if len(r.Failures) != 0 || r.Registered == 0 || r.Registered+r.Unregistered != 20 || len(left) != 0 || time.Since(begin) > after+2*time.Second {
					t.Errorf("after %v the report is %+v, and left on record is %v", time.Since(begin), r, left)
				}
				if (broken == "") != (r.Unregistered == 0) || r.Unregistered > 0 && broken != fmt.Sprintf("nodes not registered when the fleet was interrupted: %d", r.Unregistered) {
					t.Errorf("%d nodes were not registered, and broken is %q", r.Unregistered, broken)
				}
				if inRamp := after < 10*time.Second; inRamp != (r.Unregistered > 0) {
					t.Errorf("%d nodes were not registered", r.Unregistered)
				}
			})
		})
	}
}

func TestAFleetThatIsInterruptedBeforeItBegins(t *testing.T) {
	emptyEnvironment(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, log bytes.Buffer
	if status := run(ctx, fleetArgs(mocktest.Start(t).URL), &out, &log); status != brokenStatus || !strings.Contains(log.String(), "interrupted before any node was registered") {
		t.Errorf("status %d, error %q", status, log.String())
	}
}

// A list that has no end, or a node in it, takes no more memory than lists may.
func TestAListWithoutEnd(t *testing.T) {
	for _, test := range []struct{ begin, chunk string }{
		{`{"nodes":[{"node_id":"`, "a"},
		{`{"nodes":[`, `{"node_id":"a"},`},
		{`{"`, "n"},
	} {
		read := 0
		err := eachWithin(1<<16, io.MultiReader(strings.NewReader(test.begin), &repeating{chunk: test.chunk}), func(nodeapi.Node) { read++ })
		if err == nil || !strings.Contains(err.Error(), "longer than 65,536 bytes") || read > 1<<12 {
			t.Errorf("%s: %v, after %d nodes", test.begin, err, read)
		}
	}
	if err := eachWithin(1<<16, strings.NewReader(`{"nodes":[{},{}],"count":2}`), func(nodeapi.Node) {}); err != nil {
		t.Error(err)
	}
}

// repeating reads as a text again and again.
type repeating struct {
	chunk string
	at    int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := copy(p, r.chunk[r.at:])
	r.at = (r.at + n) % len(r.chunk)
	return n, nil
}

// What a report says of others is safe to show, whatever is in the file.
func TestAReportCannotSteerATerminal(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		file := writeFile(t, `{"fleets":[{"prefix":"a\u001b[2J\u202e"}],"failures":{"x\u009b31m\nBROKEN":1},"orchestratord":{"error":"\\x1b]0;"}}`)
		var out, log bytes.Buffer
		if status := run(t.Context(), []string{"merge", "--report", format, file}, &out, &log); status != brokenStatus {
			t.Errorf("status %d, error %q", status, log.String())
		}
		for _, bad := range []string{"\x1b", "\u009b", "\u202e", `\x1b`, `\u001b`, "\nBROKEN\n"} {
			if strings.Contains(out.String(), bad) {
				t.Errorf("%q is in the report:\n%s", bad, out.String())
			}
		}
		if !strings.Contains(out.String(), "<U+001B>") && !strings.Contains(out.String(), `\u003cU+001B\u003e`) {
			t.Errorf("what it says is not shown:\n%s", out.String())
		}
	}
}

// A FIFO that nobody writes to would hold up the command for good.
func TestAReportIsARegularFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, "/dev/zero"} {
		var out, log bytes.Buffer
		if status := run(t.Context(), []string{"merge", file}, &out, &log); status != 1 || !strings.Contains(log.String(), file+" is not a regular file") {
			t.Errorf("status %d, error %q", status, log.String())
		}
	}
}

// A fleet leaves as far as orchestratord lets it, within a minute, and reports who is left.
func TestAFleetThatLeaves(t *testing.T) {
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
		"when the network swallows everything": {1000, nearly, swallowed, 1, "deregister: no answer in time", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				r, left := simulate(t, t.Context(), between(test.from, time.Hour, test.trouble), func(s *settings) {
					s.nodes, s.lifetime = test.nodes, end-s.ramp
				})
				if took := time.Since(begin); took > end+test.within {
					t.Errorf("it left within %v", took-end)
				}
				if r.Left != len(left) || r.Left < test.left || test.left == 0 && r.Left > 0 {
					t.Errorf("left on record: %d, reported %d, want %d", len(left), r.Left, test.left)
				}
				var table strings.Builder
				writeTable(&table, r)
				if (r.Failures[test.failure] > 0) != (r.Left > 0) || strings.Contains(table.String(), "nodes left on record") != (r.Left > 0) {
					t.Errorf("report is\n%s", table.String())
				}
				time.Sleep(registration.DefaultRequestTimeout) // what is in flight still comes to its end
			})
		})
	}
}

func TestAFleetKnowsItsOwnNodes(t *testing.T) {
	s := settings{prefix: "sim-1", nodes: 20}
	for id, ours := range map[string]bool{
		"sim-1-0": true, "sim-1-19": true,
		"sim-1-20": false, "sim-1-007": false, "sim-1-+3": false, "sim-1--1": false, "sim-1-": false, "sim-1": false, "sim-11-3": false, "sim-1-3-4": false,
	} {
		if index, is := s.index(id); is != ours || is && s.id(index) != id {
			t.Errorf("%s is node %d of the fleet: %v", id, index, is)
		}
	}
}

func fleetArgs(url string, more ...string) []string {
	return append([]string{"fleet", "--orchestratord-url", url, "--nodes", "5", "--interval", "1s", "--ramp", "0", "--for", "1ms"}, more...)
}

func TestAFleetFromFlags(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	var out, log bytes.Buffer
	if status := run(t.Context(), fleetArgs(orchestratord.URL, "--token", "secret"), &out, &log); status != 0 {
		t.Errorf("status %d: %s", status, log.String())
	}
	for _, want := range []string{"fleet: 5 nodes, a heartbeat every 1s", "registered", "p99.9", "goroutines", "every promise was kept"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, out.String())
		}
	}
	if nodes := orchestratord.Nodes(); len(nodes) != 0 {
		t.Errorf("left on record: %v", nodes)
	}
}

// The nodes of a fleet show who they are, and trust whom they should.
func TestAFleetOverMutualTLS(t *testing.T) {
	emptyEnvironment(t)
	files, err := devcert.Make(t.Context(), filepath.Join(t.TempDir(), "tls"))
	if err != nil {
		t.Fatal(err)
	}
	served, err := tls.LoadX509KeyPair(files.Server, files.Server)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	nodes := x509.NewCertPool()
	nodes.AppendCertsFromPEM(authority)
	server := httptest.NewUnstartedServer(mocktest.InMemory(t))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{served}, ClientCAs: nodes, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	defer server.Close()

	for name, test := range map[string]struct {
		args []string
		want string // of the error, empty for none
	}{
		"both know each other": {[]string{"--tls-ca", files.CA, "--tls-cert", files.Client, "--tls-key", files.Client}, ""},
		"no certificate":       {[]string{"--tls-ca", files.CA}, "certificate required"},
		"no trust":             {[]string{"--tls-cert", files.Client, "--tls-key", files.Client}, "unknown authority"},
		"no file":              {[]string{"--tls-ca", "none.pem"}, "TLS CA file: stat none.pem"},
		"no key":               {[]string{"--tls-cert", files.Client}, "TLS client certificate: "},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			status := run(t.Context(), fleetArgs(server.URL, test.args...), &out, &log)
			if (status == 0) != (test.want == "") || !strings.Contains(log.String(), test.want) {
				t.Errorf("status %d, error %q, want %q", status, log.String(), test.want)
			}
		})
	}
}

func TestAFleetThatCannotBe(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t, mockserver.WithTokens("secret"))
	for name, test := range map[string]struct{ url, want string }{
		"no orchestratord": {"http://127.0.0.1:1", "refused"},
		"no token":         {orchestratord.URL, "answered 401"},
		"another server":   {orchestratord.URL + "/docs", "orchestratord cannot be asked for its nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			status := run(t.Context(), fleetArgs(test.url), &out, &log)
			if status != 1 || out.Len() != 0 || !strings.Contains(log.String(), test.want) {
				t.Errorf("status %d, output %q, error %q, want %q", status, out.String(), log.String(), test.want)
			}
		})
	}
}

func TestReportsAddUp(t *testing.T) {
	emptyEnvironment(t)
	orchestratord := mocktest.Start(t)
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")}
	var fleets sync.WaitGroup
	for i, prefix := range []string{"a", "b"} {
		fleets.Go(func() {
			var out, log bytes.Buffer
			status := run(t.Context(), fleetArgs(orchestratord.URL, "--for", "1s", "--node-prefix", prefix, "--report", "json"), &out, &log)
			if err := os.WriteFile(files[i], out.Bytes(), 0o600); err != nil || status != 0 {
				t.Errorf("status %d: %s, and %v", status, log.String(), err)
			}
		})
	}
	fleets.Wait()
	var out, log bytes.Buffer
	if status := run(t.Context(), append([]string{"merge", "--report", "json"}, files...), &out, &log); status != 0 {
		t.Fatalf("status %d: %s", status, log.String())
	}
	var sum report
	if err := json.Unmarshal(out.Bytes(), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.Nodes != 10 || sum.Registered != 10 || len(sum.Fleets) != 2 || sum.Orchestratord.Online+sum.Orchestratord.Registering != 10 ||
		sum.Latency.histogram.TotalCount() != sum.Beats.Answered || sum.Beats.Answered == 0 {
		t.Errorf("sum is %+v", sum)
	}
	for name, test := range map[string]struct{ file, want string }{
		"a report twice": {files[0], `fleet "a" is in two reports`},
		"no file":        {filepath.Join(dir, "none.json"), "none.json: no such file"},
		"no report":      {writeFile(t, "{}"), "not a report"},
		"no JSON":        {writeFile(t, "fleet:"), "invalid character"},
		"no histogram":   {writeFile(t, `{"fleets":[{}],"latency":{"hdrhistogram_us":"AAAA"}}`), "latency histogram"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			status := run(t.Context(), []string{"merge", files[0], test.file}, &out, &log)
			if status != 1 || out.Len() != 0 || !strings.Contains(log.String(), test.want) {
				t.Errorf("status %d, output %q, error %q, want %q", status, out.String(), log.String(), test.want)
			}
		})
	}
}

// A fleet that had connections to spare takes nothing off what others waited for.
func TestWaitingAddsUp(t *testing.T) {
	var files []string
	for prefix, m := range map[string]machine{
		"calm": {Connections: 256, InFlight: 8},
		"busy": {Connections: 256, InFlight: 300, Waited: 50, Waiting: 44},
	} {
		var text bytes.Buffer
		if err := writeJSON(&text, &report{Fleets: []member{{Prefix: prefix}}, tally: newTally(), Machine: m}); err != nil {
			t.Fatal(err)
		}
		files = append(files, writeFile(t, text.String()))
	}
	var out, log bytes.Buffer
	status := run(t.Context(), append([]string{"merge"}, files...), &out, &log)
	if status != 0 || !strings.Contains(out.String(), "50 requests waited for one of 512 connections, up to 44 at once") {
		t.Errorf("status %d, error %q, report is\n%s", status, log.String(), out.String())
	}
}

func writeFile(t *testing.T, content string) string {
	file := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Both commands report a broken promise by their exit status.
func TestABrokenPromiseIsAnExitStatus(t *testing.T) {
	r := report{Fleets: []member{{Prefix: "a"}}, tally: newTally()}
	r.Beats.Missed = 1
	var text bytes.Buffer
	if err := reportWriter(writeJSON).conclude(&text, &r); !errors.Is(err, errBroken) {
		t.Errorf("error is %v", err)
	}
	var out, log bytes.Buffer
	if status := run(t.Context(), []string{"merge", writeFile(t, text.String())}, &out, &log); status != brokenStatus || log.Len() != 0 {
		t.Errorf("status %d, error %q", status, log.String())
	}
	if !strings.Contains(out.String(), "BROKEN         heartbeats missed: 1") {
		t.Errorf("report is\n%s", out.String())
	}
}

// A registration that renews a record is none of a node that orchestratord had lost.
func TestARenewalIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := simulate(t, t.Context(), nil, func(s *settings) { s.node.RegisterEvery = 20 * time.Second })
		if r.Registrations < 100 || r.Again != 0 || r.broken() != nil {
			t.Errorf("%d registrations, %d again, broken %v", r.Registrations, r.Again, r.broken())
		}
	})
}
