package conformance_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/internal/race"
)

// TestPaceAlone shows that the check makes the calls that it judges, and shows the slowest.
func TestPaceAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t)
		report, err := conformance.Run(t.Context(), conformance.Options{
			URL: memnet.URL, Only: []string{"pace"}, Dial: memnet.Serve(t, slowHeartbeats(mock)),
		})
		want := "heartbeatNode: time at the 99th percentile: expected 1s at most (CLOUD-11002), got 3.00"
		if said := said(report, err); !strings.Contains(said, want) {
			t.Fatal(said)
		}
		replay := report.Findings[0].Replay
		if len(replay) != 2 || !strings.Contains(replay[0], "/register") || !strings.Contains(replay[1], "/heartbeat") {
			t.Errorf("it is repeated by %q", replay)
		}
		noneLeft(t, mock)
	})
}

func slowHeartbeats(mock http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/heartbeat") {
			time.Sleep(3001 * time.Millisecond)
		}
		mock.ServeHTTP(w, r)
	})
}

// TestCallsOfTheRealNodeCount has the check count all that orchestratord is asked.
func TestCallsOfTheRealNodeCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t)
		var calls atomic.Int64
		report := conforms(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			mock.ServeHTTP(w, r)
		}), conformance.Options{Only: []string{"node"}})
		const besides = 2 // the first call of the run, and the removal of a node that it keeps to the end
		if counted := report.Checks[0].Calls; counted != int(calls.Load())-besides {
			t.Errorf("%d calls are counted, and %d arrived", counted, calls.Load())
		}
	})
}

// TestATurnedOrchestratordIsOneFinding_heavy has one refuse every call from one on, in the midst of checks that
// expect refusals of their own.
func TestATurnedOrchestratordIsOneFinding_heavy(t *testing.T) {
	race.Skip(t)
	for status, after := range map[int]int64{
		http.StatusServiceUnavailable: 500, http.StatusUnauthorized: 250, http.StatusInternalServerError: 900,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				mock := newMock(t)
				report, err := conformance.Run(t.Context(), conformance.Options{
					URL: memnet.URL, Dial: memnet.Serve(t, turning(mock, after, status)),
				})
				said := said(report, err)
				all := strings.Contains(said, " to every call, a plain list too")
				if err != nil || len(report.Findings) != 1 || !all {
					t.Error(said)
				}
				named := strings.Contains(said, " may still be registered, with conform-")
				if left := len(mock.Nodes()); left == 0 || !named {
					t.Errorf("%d nodes are left: %s", left, said)
				}
			})
		})
	}
}

// turning is a server that answers every call with one status, once it has answered so many.
func turning(server http.Handler, after int64, status int) http.Handler {
	var calls atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > after {
			w.WriteHeader(status)
			return
		}
		server.ServeHTTP(w, r)
	})
}

// TestMergedFindings_heavy has each departure differ from the next in its values alone.
func TestMergedFindings_heavy(t *testing.T) {
	race.Skip(t)
	t.Run("times in seconds", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			seconds := answers(eachNode(func(_ int, node object) {
				node["registered_at_ms"] = int64(node["registered_at_ms"].(float64) / 1000)
			}))
			found(t, seconds(newInService("")), conformance.Options{Only: []string{"lives"}},
				"listNodes: time of the registration", "listNodes: time of the last heartbeat of a node")
		})
	})
	t.Run("correlation ids in bodies alone", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			o := conformance.Options{Only: []string{"negative"}, Level: conformance.Document}
			found(t, instances(newMock(t)), o,
				"400 body/instance", "404 body/instance", "405 body/instance", "413 body/instance",
				"415 body/instance", "422 body/instance")
		})
	})
}

// found fails the test unless there are findings in these places and no others, each once for an operation.
func found(t *testing.T, server http.Handler, o conformance.Options, places ...string) {
	t.Helper()
	o.URL, o.Dial = memnet.URL, memnet.Serve(t, server)
	report, err := conformance.Run(t.Context(), o)
	if err != nil || len(report.Findings) == 0 {
		t.Fatal(said(report, err))
	}
	seen, met := map[string]bool{}, map[string]bool{}
	for _, f := range report.Findings {
		found := func(place string) bool { return strings.HasSuffix(f.Operation+": "+f.Place, place) }
		at := slices.IndexFunc(places, found)
		if key := f.Operation + f.Place; seen[key] || at < 0 {
			t.Errorf("once more, or something else: %s", f)
		} else {
			seen[key], met[places[at]] = true, true
		}
	}
	for _, place := range places {
		if !met[place] {
			t.Errorf("nothing is found in place %q: %s", place, said(report, err))
		}
	}
}

// instances has errors name another correlation id than their header has.
func instances(mock http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := recorded(mock, r)
		w.WriteHeader(answer.pass(w))
		body := answer.Body.String()
		if id := w.Header().Get("X-Correlation-Id"); answer.Code >= http.StatusBadRequest {
			body = strings.ReplaceAll(body, id, "another")
		}
		_, _ = w.Write([]byte(body))
	})
}

// TestFindingsInWords has what came be nothing, and an error of the decoder.
func TestFindingsInWords(t *testing.T) {
	for name, test := range map[string]struct {
		breaks func(*inService) http.Handler
		want   string
	}{
		"keeps the version": {answers(eachNode(func(_ int, node object) {
			capabilities, _ := node["capabilities"].(object)
			if gpus, _ := capabilities["gpus"].([]any); len(gpus) == 0 { // then it has no version either
				node["version"] = "0.1.0"
			}
		})), "version of a node: expected what it last registered, got 0.1.0, not nothing"},
		"an interval with a fraction of nothing": {
			fractions,
			"what a node can read, got next_heartbeat_ms is of type number 10000.0, which does not belong there",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				report, err := conformance.Run(t.Context(), conformance.Options{
					URL: memnet.URL, Dial: memnet.Serve(t, test.breaks(newInService(""))),
					Only: []string{"examples", "lives"},
				})
				says := func(f conformance.Finding) bool { return strings.Contains(f.String(), test.want) }
				if err != nil || !slices.ContainsFunc(report.Findings, says) {
					t.Errorf("nothing says %q: %s", test.want, said(report, err))
				}
			})
		})
	}
}

// fractions writes the interval as 10000.0.
func fractions(s *inService) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := recorded(s, r)
		body := strings.Replace(answer.Body.String(), "10000", "10000.0", 1)
		w.WriteHeader(answer.pass(w))
		_, _ = w.Write([]byte(body))
	})
}

// TestThrottledTimeIsExplained has the time go into waiting after 429.
func TestThrottledTimeIsExplained(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t)
		var calls atomic.Int64
		report, err := conformance.Run(t.Context(), conformance.Options{
			URL: memnet.URL, Time: 20 * time.Second,
			Dial: memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1)%10 == 0 {
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				mock.ServeHTTP(w, r)
			})),
		})
		if said := said(report, err); !strings.Contains(said, " got 429 and waited ") {
			t.Error(said)
		}
	})
}
