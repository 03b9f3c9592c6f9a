package mockserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestANodeThatBeatsAndIsNotListed cuts a node off for 50 s. In service it stays Offline then,
// whatever it sends, until it registers again.
func TestANodeThatBeatsAndIsNotListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, mockserver.InService)
		time.Sleep(11 * time.Second)
		if got := p.overview(); got.Listed != nil || got.ListedAtMs != nil {
			t.Errorf("while there is no node, %d are listed", *got.Listed)
		}
		p.post("/v2/nodes/register", rustRegistration)
		beatFor := func(d time.Duration) {
			for range d / (10 * time.Second) {
				if status, text := p.post("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat); status != http.StatusOK {
					t.Fatalf("heartbeat answered %d %s", status, text)
				}
				time.Sleep(10 * time.Second)
			}
		}
		expect := func(when string, want int) {
			t.Helper()
			if got := *p.overview().Unlisted; len(got) != want {
				t.Errorf("%s: unlisted are %v, want %d", when, got, want)
			}
		}
		beatFor(30 * time.Second)
		expect("while all is well", 0)
		time.Sleep(50 * time.Second)
		expect("while the node is silent", 0)
		beatFor(30 * time.Second)
		expect("when it beats again", 1)
		since := func() (ms int64) {
			t.Helper()
			answer := must(p.front.Control().ReadNodeWithResponse(t.Context(), "gpu-node-1"))
			if answer.JSON200 == nil || answer.JSON200.UnlistedSinceMs == nil {
				t.Fatalf("the node is not marked: %s", answer.Body)
			}
			return *answer.JSON200.UnlistedSinceMs
		}
		first := since()
		beatFor(30 * time.Second)
		if now := since(); now != first {
			t.Errorf("it was unlisted since %d, and is now since %d", first, now)
		}
		if got := p.front.UpstreamDrift().Entries; len(got) != 1 || got[0].Kind != drift.Unlisted ||
			got[0].Last.NodeID != "gpu-node-1" {
			t.Errorf("orchestratord drifts by %v, want the node that is not listed", got)
		}
		p.post("/v2/nodes/register", rustRegistration)
		beatFor(30 * time.Second)
		expect("when it has registered again", 0)
	})
}

// TestTheEndOfBeingUnlisted has a node that is not listed register again, drain or fall silent.
func TestTheEndOfBeingUnlisted(t *testing.T) {
	const register, heartbeat = "/v2/nodes/register", "/v2/nodes/gpu-node-1/heartbeat"
	const unlisted = "gpu-node-1: node beats and is not listed by orchestratord"
	draining := strings.Replace(rustHeartbeat, `"draining":false`, `"draining":true`, 1)
	for name, test := range map[string]struct {
		calls [][2]string // path and body
		says  []string
	}{
		"listed": {
			[][2]string{{register, rustRegistration}, {heartbeat, rustHeartbeat}},
			[]string{unlisted, "gpu-node-1: node is no longer missing from the list of orchestratord"},
		},
		"draining": {[][2]string{{heartbeat, draining}}, []string{unlisted}},
		"silent": {
			nil, []string{unlisted, "gpu-node-1: node that is not listed by orchestratord no longer beats"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, mockserver.InService)
				p.post(register, rustRegistration)
				p.post(heartbeat, rustHeartbeat)
				time.Sleep(51 * time.Second) // whereupon it stays Offline, in service; no list is asked for just now
				p.post(heartbeat, rustHeartbeat)
				time.Sleep(10 * time.Second)
				for _, call := range test.calls {
					p.post(call[0], call[1])
				}
				time.Sleep(30 * time.Second)
				said := summaries(p.front, journal.Filter{Kind: control.EntryKindControl})
				slices.Sort(said)
				if !slices.Equal(said, test.says) || len(*p.overview().Unlisted) > 0 {
					t.Errorf("the journal says %q, want %q", said, test.says)
				}
			})
		})
	}
}

// TestWhatIsNoList has an orchestratord answer 200 to those who ask for its list, with something else.
// That says nothing about a node.
func TestWhatIsNoList(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                             "the list cannot be read: it has no nodes",
		`{"error":"warming up"}`:         "the list cannot be read: it has no nodes",
		`{"nodes":null}`:                 "the list cannot be read: there is <nil> where [ should be",
		`{"count":0`:                     "the list cannot be read: EOF",
		`[]`:                             "the list cannot be read: there is [ where { should be",
		`{"nodes":"` + long(2000) + `"}`: "the list cannot be read: there is " + long(989) + "…",
	} {
		t.Run(text[:min(len(text), 20)], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
					URL: "http://orchestratord.example",
					Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Content-Type", "application/json")
						_, _ = io.WriteString(w, text)
					})),
				}))
				p := &pair{t: t, front: front}
				p.post("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
				time.Sleep(11 * time.Second)
				got := p.overview()
				if problem := optional.Or(got.Problem, ""); problem != want || len(*got.Unlisted) > 0 {
					t.Errorf("the problem is %q, want %q; unlisted are %v", problem, want, *got.Unlisted)
				}
			})
		})
	}
}

// TestTheListIsAskedForInOnePlace has orchestratord redirect who asks for its list. The token is for
// nobody else.
func TestTheListIsAskedForInOnePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL:   "http://orchestratord.example",
			Token: func(context.Context) (string, error) { return "secret", nil },
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Host == "lists.orchestratord.example" {
					t.Errorf("the list is asked for elsewhere, with %q", r.Header.Get("Authorization"))
				}
				if r.Method == http.MethodGet {
					http.Redirect(w, r, "http://lists.orchestratord.example/", http.StatusTemporaryRedirect)
				}
			})),
		}))
		p := &pair{t: t, front: front}
		p.post("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
		time.Sleep(11 * time.Second)
		if problem := optional.Or(p.overview().Problem, ""); problem != "the list was answered 307" {
			t.Errorf("the problem is %q", problem)
		}
	})
}

// TestHowTheListIsAskedFor reads the head of the request for the list.
func TestHowTheListIsAskedFor(t *testing.T) {
	token := func(token string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return token, err }
	}
	for name, test := range map[string]struct {
		upstream mockserver.Upstream
		asked    string // the host and the credentials; "" if nobody asks
		problem  string
	}{
		"without a token":    {mockserver.Upstream{}, "o.example ", ""},
		"with none just now": {mockserver.Upstream{Token: token("", nil)}, "o.example ", ""},
		"with a token":       {mockserver.Upstream{Token: token("hush", nil)}, "o.example Bearer hush", ""},
		"under another name": {mockserver.Upstream{Host: "other.example"}, "other.example ", ""},
		"not without a token": {
			mockserver.Upstream{Token: token("", errors.New("locked"))}, "", "token for the list: locked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := ""
				list := func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						asked = r.Host + " " + r.Header.Get("Authorization")
						_, _ = io.WriteString(w, `{"nodes":[],"count":0}`)
					}
				}
				test.upstream.URL = "http://o.example"
				test.upstream.Transport = mocktest.Transport(http.HandlerFunc(list))
				p := &pair{t: t, front: mocktest.InMemory(t, mockserver.WithUpstream(test.upstream))}
				p.post("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
				time.Sleep(6 * time.Second)
				problem := optional.Or(p.overview().Problem, "")
				if asked != test.asked || problem != test.problem {
					t.Errorf("asked for by %q, problem %q; want %q, %q", asked, problem, test.asked, test.problem)
				}
			})
		})
	}
}

// recording is a front whose orchestratord confirms everything. Its lists are judged as they are recorded.
func recording(t *testing.T, options ...mockserver.Option) *pair {
	t.Helper()
	return &pair{t: t, front: mocktest.InMemory(t, append(options, mockserver.WithUpstream(mockserver.Upstream{
		URL: "http://orchestratord.example", Recorded: true,
		Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				t.Error("the list is asked for, and can only be read")
			}
			confirm(w, r)
		})),
	}))...)}
}

// TestWhoMustBeListed judges lists that were asked for some time after a request of a node.
func TestWhoMustBeListed(t *testing.T) {
	const beats = "/v2/nodes/gpu-node-1/heartbeat"
	for name, test := range map[string]struct {
		path, body string
		after      time.Duration
		listed     string
		unlisted   int
	}{
		"beats":                       {beats, briefHeartbeat, time.Millisecond, "", 1},
		"has only just begun":         {beats, briefHeartbeat, 0, "", 0},
		"half of its time is over":    {beats, briefHeartbeat, 15 * time.Second, "", 1},
		"more than half is over":      {beats, briefHeartbeat, 15*time.Second + 1, "", 0},
		"is Offline":                  {beats, briefHeartbeat, time.Minute, "", 0},
		"drains":                      {beats, drainingHeartbeat, time.Second, "", 0},
		"has never beaten":            {"/v2/nodes/register", briefRegistration, time.Second, "", 0},
		"is listed":                   {beats, briefHeartbeat, time.Second, `{"node_id":"gpu-node-1"}`, 0},
		"has a neighbour on the list": {beats, briefHeartbeat, time.Second, `{"node_id":"gpu-node-2"}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := recording(t)
				p.post(test.path, test.body)
				time.Sleep(test.after)
				p.front.JudgeList(strings.NewReader(`{"nodes":[`+test.listed+`],"count":0}`), time.Now())
				got, listed := p.overview(), int64(strings.Count(test.listed, "node_id"))
				if len(*got.Unlisted) != test.unlisted || optional.Or(got.Listed, -1) != listed {
					t.Errorf("the overview is %+v, want %d on the list, and %d not", got, listed, test.unlisted)
				}
			})
		})
	}
}

// TestANodeThatComesWhileTheListIsOnItsWay cannot be on it yet.
func TestANodeThatComesWhileTheListIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{t: t, front: mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					confirm(w, r)
					return
				}
				select {
				case <-time.After(10 * time.Second):
				case <-r.Context().Done():
				}
				_, _ = io.WriteString(w, `{"nodes":[{"node_id":"gpu-node-1"}],"count":1}`)
			})),
		}))}
		come := func(id string) {
			p.post("/v2/nodes/register", strings.Replace(rustRegistration, "gpu-node-1", id, 1))
			p.post("/v2/nodes/"+id+"/heartbeat", rustHeartbeat)
		}
		come("gpu-node-1")
		time.Sleep(6 * time.Second)
		come("gpu-node-2")
		time.Sleep(10 * time.Second)
		if got := p.overview(); got.Listed == nil || *got.Listed != 1 || len(*got.Unlisted) != 0 {
			t.Errorf("the overview is %+v", got)
		}
	})
}

// TestManyNodesThatAreNotListed_heavy has the control API name as many of them as its document allows.
func TestManyNodesThatAreNotListed_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, func(t *testing.T) {
		p := recording(t, mockserver.WithLogger(nil))
		for i := range 1001 {
			p.post(fmt.Sprintf("/v2/nodes/node-%d/heartbeat", i), briefHeartbeat)
		}
		time.Sleep(time.Second)
		p.front.JudgeList(strings.NewReader(`{"nodes":[],"count":0}`), time.Now())
		if got := *p.overview().Unlisted; len(got) != 1000 {
			t.Errorf("%d nodes are named, want 1000", len(got))
		}
		var nodes []string
		for i := range 1001 {
			nodes = append(nodes, fmt.Sprintf(`{"node_id":"node-%d"}`, i))
		}
		p.front.JudgeList(strings.NewReader(`{"nodes":[`+strings.Join(nodes, ",")+`]}`), time.Now())
		if got := p.overview().Unlisted; got != nil && len(*got) > 0 {
			t.Errorf("%d nodes of a list that has all are named", len(*got))
		}
	})
}

// TestTheLogInFront has orchestratord leave two nodes out of its list twice, and list both then. The drift is
// forgotten in between, and new after that.
func TestTheLogInFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		p := recording(t, mockserver.WithLogger(log.logger))
		for range 2 {
			p.post("/v2/nodes/a/heartbeat", briefHeartbeat)
			p.post("/v2/nodes/b/heartbeat", briefHeartbeat)
			time.Sleep(time.Second)
			must(p.front.Control().ClearDriftWithResponse(t.Context()))
			p.front.JudgeList(strings.NewReader(`{"nodes":[],"count":0}`), time.Now())
		}
		p.front.JudgeList(strings.NewReader(`{"nodes":[{"node_id":"a"},{"node_id":"b"}],"count":2}`), time.Now())
		var got []string
		for _, e := range log.entries("") {
			if e.level > slog.LevelDebug {
				got = append(got, strings.Join([]string{e.level.String(), e.message, e.attrs["node_id"]}, " "))
			}
		}
		want := []string{
			"INFO refused by the orchestratord in service a",
			"INFO refused by the orchestratord in service a",
			"INFO refused by the orchestratord in service a",
			"INFO node online a",
			"INFO node online b",
			"INFO control ",
			"WARN node beats and is not listed by orchestratord a",
			"WARN orchestratord departs from the contract ",
			"WARN node beats and is not listed by orchestratord b",
			"INFO refused by the orchestratord in service a",
			"INFO refused by the orchestratord in service a",
			"INFO refused by the orchestratord in service a",
			"INFO control ",
			"WARN orchestratord departs from the contract ",
			"INFO node is no longer missing from the list of orchestratord a",
			"INFO node is no longer missing from the list of orchestratord b",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		state := p.overview()
		if *state.Listed != 2 || *state.ListedAtMs != time.Now().UnixMilli() || state.Drift != 1 {
			t.Errorf("the control API says %+v", state)
		}
		if drift := p.front.UpstreamDrift().Entries; len(drift) != 1 || drift[0].Status != http.StatusOK ||
			drift[0].Requests != 2 {
			t.Errorf("orchestratord drifts by %+v", drift)
		}
	})
}

// TestTheListAfterAReset finds nothing of what was found before, and says again what it finds again.
func TestTheListAfterAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := recording(t)
		atTheStart := p.overview()
		for range 2 {
			p.post("/v2/nodes/a/heartbeat", briefHeartbeat)
			time.Sleep(time.Second)
			p.front.JudgeList(strings.NewReader(`{"nodes":[],"count":0}`), time.Now())
			found := p.overview()
			if len(*found.Unlisted) != 1 || (*found.Unlisted)[0].SinceMs != time.Now().UnixMilli() {
				t.Errorf("unlisted are %+v, want one from now on", *found.Unlisted)
			}
			p.front.Expect(t, mocktest.Expectation{Control: control.Expectation{
				Kind: new(control.EntryKindControl), AtLeast: new(int32(1)), AtMost: new(int32(1)),
			}})
			must(p.front.Control().ResetWithResponse(t.Context()))
			if diff := cmp.Diff(atTheStart, p.overview()); diff != "" {
				t.Errorf("the overview after a reset (-start +now):\n%s", diff)
			}
			p.front.Journal().Clear() // of the reset
		}
	})
}
