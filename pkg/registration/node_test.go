package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// ready is a status callback whose pools are well.
func ready(context.Context) ([]registration.PoolStatus, error) {
	return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}

// registered returns a node that has registered and nothing else.
func registered(t *testing.T, c registration.Config) *registration.Node {
	t.Helper()
	node := newNode(t, c)
	if err := node.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return node
}

// beating returns a node that is registered and has its heartbeats: the first of them
// after half a second, the others at half of the interval.
func beating(t *testing.T, c registration.Config, status registration.StatusFunc) *registration.Node {
	t.Helper()
	node := registered(t, c)
	if err := node.StartHeartbeat(t.Context(), status); err != nil {
		t.Fatal(err)
	}
	return node
}

func TestADayOfHeartbeats(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			return answer{delay: time.Duration(n%7) * 300 * time.Millisecond}
		}}
		c := config(t, w)
		c.RegisterEvery = -1
		node := beating(t, c, ready)
		time.Sleep(24 * time.Hour)
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		farewell := len(w.sent())
		time.Sleep(24 * time.Hour)

		beats := w.of("heartbeat")
		if n := len(beats); n < 8639 || n > 8641 {
			t.Errorf("%d heartbeats in 24 h at 10 s, want 8640 give or take the first's phase", n)
		}
		for i, beat := range beats[1:] {
			if want := beats[1].at.Add(time.Duration(i) * 10 * time.Second); !beat.at.Equal(want) {
				t.Fatalf("heartbeat %d is %v off its grid", i+1, beat.at.Sub(want))
			}
		}
		if w.most != 1 {
			t.Errorf("%d requests were in flight at once, want 1", w.most)
		}
		if n := len(w.sent()); n != farewell {
			t.Errorf("%d requests were sent after Deregister had returned", n-farewell)
		}
	})
}

func TestWhatIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := config(t, w)
		c.Version = "1.2.3"
		c.Capabilities.GPUs = []registration.GPU{{
			DeviceID: 0, Name: "RTX 3090", VRAMTotalBytes: 24e9,
			ComputeCapability: "8.6",
		}}
		node := beating(t, c, func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{
				{
					PoolID: "pool-0", Ready: true, SlotsFree: 3, SlotsTotal: 4, VRAMFreeBytes: 18e9, Engine: "llamacpp",
					ModelsAvailable: []string{"llama-3-8b"},
				},
				{PoolID: "pool-1", Draining: true, SlotsTotal: 2},
			}, nil
		})
		time.Sleep(time.Second)
		if err := node.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		sameJSON(t, w.of("register")[0].body, `{
			"node_id": "gpu-node-1", "machine_id": "machine-alpha", "address": "http://192.168.1.100:9200",
			"pools": ["pool-0", "pool-1"], "version": "1.2.3",
			"capabilities": {"gpu_count": 2, "total_vram_mb": 48000, "cuda_version": "12.1", "gpus": [
				{"device_id": 0, "name": "RTX 3090", "vram_total_bytes": 24000000000, "compute_capability": "8.6"}]}}`)
		sameJSON(t, w.of("heartbeat")[0].body, `{
			"timestamp": "2000-01-01T00:00:00.5Z", "pools": [
			{"pool_id": "pool-0", "ready": true, "draining": false, "slots_free": 3, "slots_total": 4,
			 "vram_free_bytes": 18000000000, "engine": "llamacpp", "models_available": ["llama-3-8b"]},
			{"pool_id": "pool-1", "ready": false, "draining": true, "slots_free": 0, "slots_total": 2, "vram_free_bytes": 0}]}`)
		seen := map[string]bool{}
		for _, r := range w.sent() {
			if got := r.header.Get("Authorization"); got != "Bearer "+token {
				t.Errorf("%s: Authorization is %q", r.op, got)
			}
			id := r.header.Get("X-Correlation-Id")
			if id == "" || seen[id] {
				t.Errorf("%s: correlation id %q is missing or was used before", r.op, id)
			}
			seen[id] = true
		}
	})
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := errors.Join(json.Unmarshal([]byte(got), &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestWithoutATokenNoneIsSent(t *testing.T) {
	w := &wire{}
	c := config(t, w)
	c.APIToken = nil
	if err := newNode(t, c).Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.sent()[0].header.Values("Authorization"); len(got) != 0 {
		t.Errorf("Authorization is %q", got)
	}
}

func TestRegisterRetriesWhatMayPass(t *testing.T) {
	refusedDial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, a := range map[string]answer{
		"no network":         {err: refusedDial},
		"connection cut":     {err: errors.New("connection reset by peer")},
		"no answer":          {delay: time.Hour},
		"408":                {status: 408},
		"425":                {status: 425},
		"429":                problem(429, "throttled"),
		"500":                problem(500, "internal_error"),
		"503 without a body": {status: 503},
		"a page":             {status: 200, body: "<html>welcome"},
		"an empty success":   {status: 200},
		"an endless success": {status: 200, body: `{"success":true,"message":"` + strings.Repeat("x", 1<<20) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n < 6 {
						return a
					}
					return answer{}
				}}
				begin := time.Now()
				if err := newNode(t, config(t, w)).Register(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := len(w.sent()); got != 7 {
					t.Errorf("%d attempts, want 7", got)
				}
				if a.delay == 0 && (time.Since(begin) < 5*time.Second || time.Since(begin) > 15*time.Second) {
					t.Errorf("7 attempts took %v", time.Since(begin))
				}
			})
		})
	}
}

// A refusal that the document declares is final. Another status came from a router or a
// balancer: it is asked again, and the caller learns what it said.
func TestRegisterSaysWhatWasWrong(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		kind   error
		text   string
	}{
		"400": {problem(400, "malformed_body"), registration.ErrRefused, "400 malformed_body: because"},
		"401": {
			problem(401, "unauthorized"), registration.ErrUnauthorized, "401 unauthorized: because",
		},
		"401 without a body": {answer{status: 401}, registration.ErrUnauthorized, "401"},
		"403":                {answer{status: 403, body: "no"}, registration.ErrUnavailable, "403: no ("},
		"404, another server": {
			plain(404, "404 page not found\n"), registration.ErrUnavailable,
			"404: is http://orchestratord:8080/ the base URL of an orchestratord? 404 page not found (",
		},
		"404, an empty one": {
			answer{status: 404}, registration.ErrUnavailable, "the base URL of an orchestratord? (",
		},
		"413": {problem(413, "body_too_large"), registration.ErrRefused, "413 body_too_large"},
		"415": {answer{status: 415, body: "text"}, registration.ErrRefused, "415"},
		"422": {
			answer{status: 422, body: `{"errors":[{"pointer":"/node_id","detail":"is odd"}]}`},
			registration.ErrRefused,
			"/node_id is odd",
		},
		"422, as in service": {
			plain(422, "capabilities: missing field `gpus` at line 1\r\n\x1b[1m"), registration.ErrRefused,
			"422: capabilities: missing field `gpus` at line 1<U+000D><U+000A><U+001B>[1m (",
		},
		"a page": {
			answer{status: 422, header: http.Header{"Content-Type": {"text/html"}}, body: "<html>no"},
			registration.ErrRefused, "422 (",
		},
		"a long story": {plain(422, strings.Repeat("é", 4000)), registration.ErrRefused, "éé… ("},
		"a redirect": {
			answer{status: 307, header: http.Header{"Location": {"http://elsewhere/"}}},
			registration.ErrUnavailable,
			"307: it redirects to http://elsewhere/,",
		},
		"a redirect to a secret": {
			answer{
				status: 302,
				header: http.Header{
					"Location": {"//me:secret@elsewhere/" + token[:7] + "%2d" + token[8:] + "?secret#secret"},
				},
			},
			registration.ErrUnavailable, "it redirects to http://elsewhere/[token],",
		},
		"101": {answer{status: 101}, registration.ErrUnavailable, "it switches protocols"},
		"message": {
			answer{
				status: 503,
				body:   `{"success":false,"message":"Cloud profile not enabled. Set X=true","node_id":"n"}`,
			}, registration.ErrUnavailable, "503: Cloud profile not enabled. Set X=true (",
		},
		"error": {
			answer{status: 502, body: `{"error":{"code":7,"message":"no backend"}}`},
			registration.ErrUnavailable,
			"502: no backend (",
		},
		"an error without words beside a reason": {
			answer{status: 502, body: `{"error":{"code":7},"reason":"no backend"}`},
			registration.ErrUnavailable,
			"502: no backend (",
		},
		"a rejection": {
			answer{status: 200, body: `{"success":false,"message":"the cluster is full","node_id":"gpu-node-1"}`},
			registration.ErrRefused, "the cluster is full",
		},
		"an echo of the token": {
			answer{status: 401, body: `{"detail":"bad token ` + token + `","code":"` + token + `"}`},
			registration.ErrUnauthorized, "bad token [token]",
		},
		"an echo in plain text": {plain(401, "bad token "+token), registration.ErrUnauthorized, "bad token [token] ("},
		"an echo that broke off": {
			answer{status: 401, header: plain(0, "").header, body: "bad token " + token[:20], length: 200},
			registration.ErrUnauthorized, "401 (",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(int, request) answer { return test.answer }}
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // too short for a second attempt
				defer cancel()
				err := newNode(t, config(t, w)).Register(ctx)
				if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error is %v, want %v with %q", err, test.kind, test.text)
				}
				var typed *registration.Error
				if !errors.As(err, &typed) || typed.StatusCode != test.answer.status ||
					typed.CorrelationID != w.sent()[0].header.Get("X-Correlation-Id") {
					t.Errorf("error is %#v", typed)
				}
				if strings.Contains(err.Error(), token) || strings.ContainsAny(err.Error(), "\r\n\x1b") ||
					strings.Contains(err.Error(), "secret") {
					t.Errorf("the token, a secret or a line break is in the error: %v", err)
				}
				if len(w.sent()) != 1 {
					t.Errorf("%d attempts, want 1", len(w.sent()))
				}
			})
		})
	}
}

func TestRegisterObeysRetryAfter(t *testing.T) {
	for name, test := range map[string]struct {
		header string
		least  time.Duration
		most   time.Duration
		date   string // of the answer
	}{
		"seconds":       {"20", 20 * time.Second, 21 * time.Second, ""},
		"a date":        {"Sat, 01 Jan 2000 00:00:20 GMT", 20 * time.Second, 21 * time.Second, ""},
		"a day":         {"86400", 60 * time.Second, 61 * time.Second, ""},
		"an overflow":   {"9999999999999999999999", 60 * time.Second, 61 * time.Second, ""},
		"half a second": {"20.5", 20500 * time.Millisecond, 21500 * time.Millisecond, ""},
		"by another clock": {
			"Sun, 01 Feb 2026 12:00:20 GMT", 20 * time.Second, 21 * time.Second, "Sun, 01 Feb 2026 12:00:00 GMT",
		},
		"a past date":  {"Sat, 01 Jan 1999 00:00:20 GMT", 0, time.Second, ""},
		"below zero":   {"-5", 0, time.Second, ""},
		"not a number": {"soon", 0, time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n == 0 {
						return answer{
							status: 429,
							header: http.Header{"Retry-After": {test.header}, "Date": {test.date}},
						}
					}
					return answer{}
				}}
				begin := time.Now()
				if err := newNode(t, config(t, w)).Register(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took < test.least || took > test.most {
					t.Errorf("the second attempt came after %v, want %v to %v", took, test.least, test.most)
				}
			})
		})
	}
}

func TestRegisterEndsWithItsContext(t *testing.T) {
	for name, a := range map[string]answer{
		"refused connections": {err: errors.New("connection refused")},
		"no answer":           {delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(int, request) answer { return a }}
				ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
				defer cancel()
				begin := time.Now()
				err := newNode(t, config(t, w)).Register(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, registration.ErrUnavailable) {
					t.Errorf("error is %v, want the context's and the last attempt's", err)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("error takes more than a line: %v", err)
				}
				if took := time.Since(begin); took != 12*time.Second {
					t.Errorf("took %v, want 12 s", took)
				}
			})
		})
	}
}

func TestOneOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := beating(t, config(t, w), ready)
		if err := node.StartHeartbeat(t.Context(), ready); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("a second StartHeartbeat: %v, want ErrRunning", err)
		}
		if err := node.Register(t.Context()); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("Register beside the heartbeats: %v, want ErrRunning", err)
		}
		if err := node.Run(t.Context(), ready); !errors.Is(err, registration.ErrRunning) {
			t.Errorf("Run beside the heartbeats: %v, want ErrRunning", err)
		}
	})
}

func TestAForgottenNodeRegistersAgain(t *testing.T) {
	for name, a := range map[string]answer{
		"problem details": problem(404, "unknown_node"),
		"as in service":   {status: 404, body: `{"success":false,"next_heartbeat_ms":10000}`},
		"no body":         {status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, r request) answer {
					if n == 2 {
						return a
					}
					return answer{}
				}}
				node := beating(t, config(t, w), ready)
				time.Sleep(26 * time.Second)
				if want := "register heartbeat heartbeat register heartbeat heartbeat"; w.ops() != want {
					t.Errorf("sent %s, want %s", w.ops(), want)
				}
				beats := w.of("heartbeat")
				if !beats[2].at.Equal(beats[1].at) || beats[3].at.Sub(beats[1].at) != 10*time.Second {
					t.Error("want the heartbeat repeated at once, and the grid kept")
				}
				node.Deregister(t.Context())
			})
		})
	}
}

func TestTwoOrchestratordsThatShareNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var known [2]bool
		turn := 0
		w := &wire{answer: func(_ int, r request) answer {
			turn = 1 - turn
			if r.op == "register" {
				known[turn] = true
			} else if !known[turn] {
				return answer{status: 404}
			} else {
				known[turn] = false // forgets at once
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Hour)
		if n := len(w.of("register")); n > 150 {
			t.Errorf("registered %d times in an hour", n)
		}
		node.Deregister(t.Context())
	})
}

func TestAfterAnOutage(t *testing.T) {
	for name, test := range map[string]struct {
		down  time.Duration
		first string
	}{"short": {15 * time.Second, "heartbeat"}, "long": {2 * time.Minute, "register"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				back := begin.Add(30*time.Second + test.down)
				w := &wire{answer: func(_ int, r request) answer {
					if !r.at.Before(begin.Add(30*time.Second)) && r.at.Before(back) {
						return answer{err: errors.New("connection refused")}
					}
					return answer{}
				}}
				node := beating(t, config(t, w), ready)
				time.Sleep(time.Until(back.Add(10 * time.Second)))
				var after []request
				for _, r := range w.sent() {
					if !r.at.Before(back) {
						after = append(after, r)
					}
				}
				if len(after) == 0 || after[0].op != test.first || after[len(after)-1].op != "heartbeat" {
					t.Errorf("within an interval of the return it sent %v, want a %s first and a heartbeat", after,
						test.first)
				}
				node.Deregister(t.Context())
			})
		})
	}
}

func TestAHeartbeatWithoutAnswerIsDroppedBeforeTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n == 2 {
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(36 * time.Second)
		beats := w.of("heartbeat")
		if pause := beats[2].at.Sub(beats[1].at); pause < 5*time.Second || pause > 6*time.Second {
			t.Errorf("the heartbeat after the lost one came after %v", pause)
		}
		last := beats[len(beats)-1]
		if offset := (last.at.Sub(w.sent()[0].at) - 5*time.Second) % (10 * time.Second); offset != 0 || w.most != 1 {
			t.Errorf("back %v off the grid, %d in flight at most", offset, w.most)
		}
		node.Deregister(t.Context())
	})
}

func TestALostTokenIsAskedForSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n > 0 {
				return answer{status: 401}
			}
			return answer{}
		}}
		node := beating(t, config(t, w), ready)
		time.Sleep(time.Hour)
		if n := len(w.sent()); n < 60 || n > 125 {
			t.Errorf("%d requests in an hour without a valid token, want one or two a minute", n)
		}
		if err := node.Deregister(t.Context()); !errors.Is(err, registration.ErrUnauthorized) {
			t.Errorf("Deregister: %v, want ErrUnauthorized", err)
		}
	})
}

func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer { return answer{delay: 500 * time.Millisecond} }}
		node := beating(t, config(t, w), ready)
		time.Sleep(8 * time.Second) // the first heartbeat was at 1 s
		changed := time.Now()
		for range 1000 {
			node.Notify()
		}
		time.Sleep(time.Millisecond)
		node.Notify() // while a heartbeat is in flight: its status may be older
		time.Sleep(2 * time.Second)
		beats := w.of("heartbeat")[1:]
		if len(beats) != 2 || !beats[0].at.Equal(changed) || beats[1].at.Sub(changed) > 2*time.Second {
			t.Errorf("after the changes came %d heartbeats, want one at once and one within 2 s: %v", len(beats), beats)
		}
		time.Sleep(10 * time.Second)
		ticks := w.of("heartbeat")
		if offset := (ticks[len(ticks)-1].at.Sub(changed) + 3*time.Second) % (10 * time.Second); offset != 0 {
			t.Errorf("notifications moved the grid by %v", offset)
		}
		node.Deregister(t.Context())
	})
}

func TestNotifyOvertakesASlowHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n == 1 {
				return answer{delay: 4 * time.Second}
			}
			return answer{}
		}}
		var seen recorder
		c := config(t, w)
		c.OnEvent = seen.add
		node := beating(t, c, ready)
		time.Sleep(700 * time.Millisecond) // a heartbeat is in flight since 500 ms
		changed := time.Now()
		node.Notify()
		node.Notify()
		time.Sleep(2 * time.Second)
		beats := w.of("heartbeat")
		if len(beats) != 2 || beats[1].at.Sub(changed) > 2*time.Second || w.most != 1 {
			t.Errorf("%d heartbeats, %d at once; want a second one within 2 s of the change", len(beats), w.most)
		}
		synctest.Wait()
		if failed := seen.events[1]; !strings.Contains(failed.Err.Error(), "a newer status was sent") {
			t.Errorf("the slow heartbeat ended with %v", failed.Err)
		}
		node.Deregister(t.Context())
	})
}

func TestStartHeartbeatEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		node := newNode(t, config(t, w))
		ctx, cancel := context.WithCancel(t.Context())
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(16 * time.Second)
		cancel()
		synctest.Wait()
		if want := "register heartbeat heartbeat"; w.ops() != want {
			t.Errorf("sent %s, want %s", w.ops(), want)
		}
		if err := node.Register(t.Context()); err != nil {
			t.Errorf("Register after the heartbeats have ended: %v", err)
		}
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Errorf("StartHeartbeat after the first has ended: %v", err)
		}
		node.Deregister(t.Context())
	})
}

func TestTheEndOfItsContextDoesNotCutOffAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := false
		w := &wire{}
		w.answer = func(_ int, r request) answer {
			if r.op == "heartbeat" {
				return answer{delay: 2 * time.Second, canceled: &cut}
			}
			return answer{}
		}
		node := newNode(t, config(t, w))
		ctx, cancel := context.WithCancel(t.Context())
		if err := node.StartHeartbeat(ctx, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		cancel()
		if err := node.Deregister(t.Context()); err != nil || cut {
			t.Errorf("error %v, heartbeat cut off: %v", err, cut)
		}
	})
}

func TestAfterTheMachineHasSlept(t *testing.T) {
	for name, test := range map[string]struct {
		step time.Duration
		want string
	}{
		"an hour":          {time.Hour, "register heartbeat heartbeat register heartbeat heartbeat"},
		"ten seconds":      {10 * time.Second, "register heartbeat heartbeat heartbeat heartbeat"},
		"a clock set back": {-time.Hour, "register heartbeat heartbeat heartbeat heartbeat"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				node := newNode(t, config(t, w))
				var step atomic.Int64
				registration.SetWall(node, func() time.Time { return time.Now().Add(time.Duration(step.Load())) })
				if err := node.StartHeartbeat(t.Context(), ready); err != nil {
					t.Fatal(err)
				}
				time.Sleep(18 * time.Second)
				step.Store(int64(test.step))
				time.Sleep(18 * time.Second)
				if w.ops() != test.want {
					t.Errorf("sent %s, want %s", w.ops(), test.want)
				}
				node.Deregister(t.Context())
			})
		})
	}
}

// The status that the callback is about to give may be older than the news.
func TestNotifyFromTheStatusCallbackOvertakesASlowHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r request) answer {
			if n == 1 {
				return answer{delay: time.Hour}
			}
			return answer{}
		}}
		node := newNode(t, config(t, w))
		var changed time.Time
		err := node.StartHeartbeat(t.Context(), func(ctx context.Context) ([]registration.PoolStatus, error) {
			if changed.IsZero() {
				changed = time.Now()
				node.Notify()
				time.Sleep(20 * time.Millisecond)
			}
			return ready(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(8 * time.Second) // the first heartbeat is due at 500 ms
		if beats := w.of("heartbeat"); len(beats) != 2 || beats[1].at.Sub(changed) > 2*time.Second {
			t.Errorf("%d heartbeats; want a second one within 2 s of the change", len(beats))
		}
		node.Deregister(t.Context())
	})
}

// A caller who has repaired what was wrong does not wait for what came of an earlier call.
func TestRegisterCalledAgainAsksAtOnce(t *testing.T) {
	for _, status := range []int{401, 422} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ request) answer {
				if n == 0 {
					return answer{status: status}
				}
				return answer{}
			}}
			node := newNode(t, config(t, w))
			if err := node.Register(t.Context()); err == nil {
				t.Fatalf("%d: registered at the first attempt", status)
			}
			again := time.Now()
			if err := node.Register(t.Context()); err != nil || time.Since(again) != 0 {
				t.Errorf("%d: registering again took %v, error %v", status, time.Since(again), err)
			}
		})
	}
}
