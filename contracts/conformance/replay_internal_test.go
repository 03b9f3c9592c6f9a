package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/mockserver"
)

// prefixed removes every node whose id begins with that of the node that leaves.
func prefixed(t *testing.T) http.Handler {
	t.Helper()
	mock, err := mockserver.New(mockserver.WithJournal(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	known := map[string]bool{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, "/v2/nodes/")
		if r.Method == http.MethodDelete {
			for _, other := range slices.Sorted(maps.Keys(known)) {
				if strings.HasPrefix(other, id) && other != id {
					gone := httptest.NewRequest(http.MethodDelete, "/v2/nodes/"+other, nil)
					mock.ServeHTTP(httptest.NewRecorder(), gone)
				}
			}
		}
		if node, _, beats := strings.Cut(id, "/"); beats {
			known[node] = true
		}
		mock.ServeHTTP(w, r)
	})
}

// TestACrowdIsALoop has a finding among many nodes be three lines that a shell repeats: node 1 takes those from
// 10 on along.
func TestACrowdIsALoop(t *testing.T) {
	var found Finding
	synctest.Test(t, func(t *testing.T) {
		r, err := newRun(Options{URL: memnet.URL, Dial: memnet.Serve(t, prefixed(t))})
		if err != nil {
			t.Fatal(err)
		}
		defer r.prober.close()
		s := r.session("state")
		s.crowd(t.Context(), 20)
		if len(r.report.all) == 0 {
			t.Fatal("nothing was found")
		}
		found = r.report.all[0]
	})
	if len(found.Replay) != 3 {
		t.Fatalf("%d lines:\n%s", len(found.Replay), strings.Join(found.Replay, "\n"))
	}
	repeated(t, prefixed(t), found.Replay, "404 Not Found")
}

// repeated has a shell run a script against a server. The last line has to show what was found.
func repeated(t *testing.T, server http.Handler, script []string, want string) {
	t.Helper()
	for _, program := range []string{"sh", "seq", "curl"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "" {
			t.Skipf("the commands use %s, which is not here", program)
		}
	}
	there := httptest.NewServer(server)
	defer there.Close()
	t.Setenv("no_proxy", "*")
	text := strings.ReplaceAll(strings.Join(script, "\n"), memnet.URL, there.URL)
	shown, err := exec.CommandContext(t.Context(), "sh", "-c", text).Output()
	if err != nil || !strings.Contains(string(shown), want) {
		t.Errorf("%v: %.2000s", err, shown)
	}
}

// TestAReplayRegistersWhomItNames has a long case with two nodes, and its end about one of them.
func TestAReplayRegistersWhomItNames(t *testing.T) {
	p, doc := replayer(t, "http://orchestratord"), mustRead(t)
	var trail []made
	add := func(op, id string) {
		c := call{op: doc.operation(op), node: id}
		if op != opList {
			c.body = fmt.Appendf(nil, `{"at":%d}`, len(trail)) // no two are alike
		}
		trail = append(trail, made{call: c})
	}
	add(opRegister, "other")
	add(opRegister, "first")
	for range 3 * maxReplay {
		add(opHeartbeat, "first")
	}
	script := p.replay(trail)
	if len(script) != maxReplay+1 || !strings.Contains(script[0], `{"at":1}`) {
		t.Errorf("%d lines, first %s", len(script), script[0])
	}
}

func mustRead(t *testing.T) *document {
	t.Helper()
	doc, err := compiledIn()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestAReplayWaits has the time between two calls be a command, unless calls between them were left out.
func TestAReplayWaits(t *testing.T) {
	p, list, now := replayer(t, "http://orchestratord"), mustRead(t).operation(opList), time.Unix(1_700_000_000, 0)
	s := &session{trail: []made{
		{call{op: list}, now, now}, {call{op: list}, now.Add(15 * time.Second), now.Add(15 * time.Second)},
	}}
	s.keepFirst(2)
	if script := p.replay(s.trail); len(script) != 3 || script[1] != "sleep 15.0" {
		t.Errorf("%q", script)
	}
	s.keepFirst(1)
	s.trail = append(s.trail, made{call{op: list}, now.Add(time.Minute), now.Add(time.Minute)})
	if script := p.replay(s.trail); len(script) != 2 {
		t.Errorf("%q", script)
	}
}

// TestNeverOfflineIsShownByOneNode has nobody go offline.
func TestNeverOfflineIsShownByOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New(mockserver.WithJournal(0), mockserver.WithNodeTimeout(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		r, err := newRun(Options{URL: memnet.URL, Dial: memnet.Serve(t, mock), NodeTimeout: 15 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer r.prober.close()
		awaitSilence(t.Context(), r.session("silence"))
		if len(r.report.all) == 0 {
			t.Fatal("nothing was found")
		}
		script := r.report.all[len(r.report.all)-1].Replay
		if len(script) != 4 || !strings.HasPrefix(script[2], "sleep 2") {
			t.Errorf("%d lines:\n%s", len(script), strings.Join(script, "\n"))
		}
	})
}
