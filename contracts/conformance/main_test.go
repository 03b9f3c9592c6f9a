package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// token is that of the servers of these tests.
const token = "the-token-of-this-orchestratord-0123456789"

// TestMockConforms_heavy runs everything against the mock, in all ways that it can be with a token. Without
// one, TestAnyOrderConforms_heavy does. The race detector sees the checks that have several callers.
func TestMockConforms_heavy(t *testing.T) {
	for name, dialect := range shared(t, map[string][]mockserver.Option{
		"document":   {mockserver.WithTokens(token)},
		"report":     {mockserver.WithTokens(token), mockserver.WithValidation(mockserver.Report)},
		"in service": {mockserver.WithTokens(token), mockserver.WithDialect(mockserver.InService)},
		"small times": {
			mockserver.WithTokens(token),
			mockserver.WithHeartbeatInterval(100 * time.Millisecond),
			mockserver.WithNodeTimeout(200 * time.Millisecond),
		},
	}) {
		t.Run(name, func(t *testing.T) {
			o := conformance.Options{Level: conformance.Document, Token: token, Only: race.Share(t, nil, together)}
			if name == "report" || name == "in service" {
				o.Level = conformance.Nodes // they take what breaks the document
			}
			bubble(t, func(t *testing.T) {
				mock := newMock(t, dialect...)
				conforms(t, mock, o)
				noneLeft(t, mock)
			})
		})
	}
}

var together = []string{"examples", "transport", "concurrency", "node", "pace"}

func noneLeft(t *testing.T, mock *mocktest.Server) {
	t.Helper()
	if left := mock.Nodes(); len(left) > 0 {
		t.Errorf("%d nodes are left behind", len(left))
	}
}

// TestNothingIsLeft_heavy ends a run at moments that nobody chose.
func TestNothingIsLeft_heavy(t *testing.T) {
	race.Skip(t)
	for _, after := range []int64{10, 60, 300, 900} {
		mock := newMock(t)
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1) == after {
				defer cancel() // of a registration that is carried out later nobody can know
			}
			mock.ServeHTTP(w, r)
		}))
		_, err := conformance.Run(ctx, conformance.Options{URL: server.URL})
		server.Close()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after %d calls: error %v", after, err)
		}
		if left := mock.Nodes(); len(left) > 0 {
			t.Errorf("after %d calls: %d nodes are left behind", after, len(left))
		}
	}
}

// TestWhatIsLeftIsNamed ends a run while a node is registered whose id begins with a digit, beside the one that
// stays for the whole run. No node is removed after that.
func TestWhatIsLeftIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t)
		ctx, cancel := context.WithCancel(t.Context())
		server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ctx.Err() != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			mock.ServeHTTP(w, r)
			for _, node := range mock.Nodes() {
				if node.Registration.NodeID[0] == '0' {
					cancel()
				}
			}
		})
		_, err := conformance.Run(ctx, conformance.Options{URL: memnet.URL, Dial: memnet.Serve(t, server)})
		named := regexp.MustCompile(`; 2 nodes may still be registered, with (conform-\w+) in the name$`)
		left, match := mock.Nodes(), named.FindStringSubmatch(fmt.Sprint(err))
		if len(left) != 2 || match == nil {
			t.Fatalf("left are %v, error %v", left, err)
		}
		for _, node := range left {
			if !strings.Contains(node.Registration.NodeID, match[1]) {
				t.Errorf("left is %s, error %v", node.Registration.NodeID, err)
			}
		}
	})
}

// shared yields servers, each with its name. Under the race detector, which sees the same code in
// each, it yields the first alone.
func shared[T any](t *testing.T, kinds ...map[string]T) iter.Seq2[string, T] {
	most := race.Share(t, math.MaxInt, 1)
	return func(yield func(string, T) bool) {
		i := 0
		for _, servers := range kinds {
			for _, name := range slices.Sorted(maps.Keys(servers)) {
				if i == most || !yield(name, servers[name]) {
					return
				}
				i++
			}
		}
	}
}

// newMock starts a mock that keeps no journal, as nobody here looks into it.
func newMock(t *testing.T, options ...mockserver.Option) *mocktest.Server {
	t.Helper()
	return mocktest.InMemory(t, append(options, mockserver.WithLogger(nil), mockserver.WithJournal(0))...)
}

// bubble runs a test beside others in a bubble, where time depends on nothing else. So the
// pace of calls can be held to its limits on a busy machine, and waiting costs nothing.
func bubble(t *testing.T, run func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, run)
}

// conforms runs all checks against a server, in a bubble. It fails the test with the report
// unless nothing was found.
func conforms(t *testing.T, server http.Handler, o conformance.Options) *conformance.Report {
	t.Helper()
	o.URL, o.Dial = memnet.URL, memnet.Serve(t, server)
	report, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Report(false).Writers()["text"](&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if !report.Conforms() {
		t.Error("it does not conform")
	}
	return report
}
