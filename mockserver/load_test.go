package mockserver_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// answerTo returns the body of the answer to a GET.
func answerTo(t *testing.T, server *mocktest.Server, path string) []byte {
	t.Helper()
	answer, err := server.Client().Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLoadNodes lists the nodes of an orchestratord, and loads the list into another one a day
// later. That lists the same nodes, a day younger, and they fall silent as there.
func TestLoadNodes(t *testing.T) {
	// In service, a node that has not beaten yet is not listed.
	for dialect, listed := range map[mockserver.Dialect]int{mockserver.Document: 3, mockserver.InService: 2} {
		t.Run(string(dialect), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := []mockserver.Option{
					mockserver.WithDialect(dialect), mockserver.WithValidation(mockserver.Report),
				}
				recorded, server := mocktest.InMemory(t, options...), mocktest.InMemory(t, options...)
				appear(t, recorded, "gpu-node-1", rustRegistration)
				appear(t, recorded, "b", strings.Replace(fullRegistration, "gpu-node-1", "b", 1))
				(&pair{t: t, front: recorded}).post("/v2/nodes/register", registrationOf("silent"))
				want, list := listOf(t, recorded, 0), answerTo(t, recorded, "/v2/nodes")
				time.Sleep(24 * time.Hour)
				if err := server.LoadNodes(list); err != nil {
					t.Fatal(err)
				}
				loaded := []string{fmt.Sprint(listed, " nodes loaded")}
				if noted := summaries(server, journal.Filter{}); !slices.Equal(noted, loaded) {
					t.Errorf("the journal says %q", noted)
				}
				if diff := cmp.Diff(want, listOf(t, server, 24*time.Hour)); diff != "" || len(want) != listed {
					t.Errorf("it lists others than were recorded (-recorded +listed):\n%s", diff)
				}
				was, _ := recorded.Node("b")
				is, _ := server.Node("b")
				if diff := cmp.Diff(was.Registration, is.Registration); diff != "" {
					t.Errorf("another registration is on record (-recorded +loaded):\n%s", diff)
				}
				time.Sleep(41 * time.Second) // with the check every 10 s
				for _, node := range server.Nodes() {
					if node.Status != nodeapi.NodeStatusOffline {
						t.Errorf("%s is %s after 41 s of silence", node.Registration.NodeID, node.Status)
					}
				}
			})
		})
	}
}

// appear registers a node, and sends a heartbeat of it 7 s later.
func appear(t *testing.T, server *mocktest.Server, id nodeapi.NodeID, registration string) {
	t.Helper()
	p := pair{t: t, front: server}
	p.post("/v2/nodes/register", registration)
	time.Sleep(7 * time.Second)
	if status, text := p.post("/v2/nodes/"+id+"/heartbeat", rustHeartbeat); status != http.StatusOK {
		t.Fatal(text)
	}
}

// listOf returns the listed nodes by id, younger by a time.
func listOf(t *testing.T, server *mocktest.Server, younger time.Duration) map[nodeapi.NodeID]nodeapi.Node {
	t.Helper()
	var list nodeapi.NodeList
	decode(t, answerTo(t, server, "/v2/nodes"), &list)
	nodes := map[nodeapi.NodeID]nodeapi.Node{}
	for _, node := range list.Nodes {
		node.RegisteredAtMs -= younger.Milliseconds()
		if node.LastHeartbeatMs != nil {
			*node.LastHeartbeatMs -= younger.Milliseconds()
		}
		nodes[node.NodeID] = node
	}
	return nodes
}

// TestLoadNodesOfAnArchive takes the last list that the archive of a proxy has.
func TestLoadNodesOfAnArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, mockserver.InService)
		answerTo(t, p.front, "/v2/nodes")
		p.post("/v2/nodes/register", rustRegistration)
		p.post("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
		want := listOf(t, p.front, 0)
		p.post("/v2/nodes/register", rustRegistration)
		p.askInVain()
		archive := answerTo(t, p.front, "/__mock/journal.har")
		archive = bytes.Replace(archive, []byte(`{"log":{`), []byte(`{"nodes":0,"log":{"pages":7,`), 1) // of some tool
		server := mocktest.InMemory(t, mockserver.WithDialect(mockserver.InService))
		if err := server.LoadNodes(archive); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, listOf(t, server, 0)); diff != "" || len(want) != 1 {
			t.Errorf("it lists others than were recorded (-recorded +listed):\n%s", diff)
		}
	})
}

// askInVain asks for the list in ways that get none.
func (p *pair) askInVain() {
	p.t.Helper()
	for i, method := range []string{http.MethodHead, http.MethodGet} {
		setProfile(p.t, p.orchestratord, i == 0)
		want := []int{http.StatusOK, http.StatusServiceUnavailable}[i]
		if status := callWith(p.t, p.front, method+" /v2/nodes", ""); status != want {
			p.t.Fatalf("%s: %d, want %d", method, status, want)
		}
	}
	setProfile(p.t, p.orchestratord, true)
}

func TestListsThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	const node = `{"node_id":"a","machine_id":"m","address":"http://h:1","pools":[],"capabilities":{},` +
		`"status":"Online","registered_at_ms":1,"last_heartbeat_ms":2,"version":null}`
	with := func(old, changed string) string {
		return `{"nodes":[` + strings.Replace(node, old, changed, 1) + `]}`
	}
	har := func(entries string) string { return `{"log":{"version":"1.2","entries":[` + entries + `]}}` }
	listed := func(content string) string {
		return har(`{"request":{"method":"GET","url":"https://o.example/base/v2/nodes?x=1"},` +
			`"response":{"status":200,"content":` + content + `}}`)
	}
	for name, test := range map[string]struct{ list, says string }{
		"nothing":    {"", "neither a list of nodes nor an HTTP archive: unexpected end of JSON input"},
		"no JSON":    {"<nodes>", "neither a list of nodes nor an HTTP archive: invalid character"},
		"cut":        {`{"nodes":[` + node, "unexpected end of JSON input"},
		"two":        {`{"nodes":[]}{"nodes":[]}`, "after top-level value"},
		"an array":   {`[` + node + `]`, "it is JSON of type array, want an object with nodes or log"},
		"one node":   {`{"nodes":` + node + `}`, "/nodes is of type object, want array"},
		"others":     {`{"items":[]}`, "it has no nodes and no log"},
		"no object":  {`{"nodes":[` + node + `,null]}`, "/nodes/1: "},
		"a field":    {with(`"m"`, `""`), "/nodes/0/machine_id: must"},
		"lacks one":  {with(`"machine_id":"m",`, ""), `/nodes/0/machine_id: property "machine_id" is missing`},
		"a fraction": {with(`_ms":1`, `_ms":1.5`), "/nodes/0/registered_at_ms: must"},
		"twice": {
			with("{\"node", strings.Replace(node, `"m"`, `"n"`, 1)+",{\"node"),
			`/nodes/1/node_id: must be another id than that of node 0`,
		},
		"too many": {
			with("{\"node", strings.Replace(node, `"a"`, `"b"`, 1)+",{\"node"), "/nodes: must have 1 items or fewer",
		},
		"no entries": {`{"log":{"entries":7}}`, "not an HTTP archive: "},
		"other paths": {
			strings.Replace(listed(`{"size":2,"text":"{}"}`), "/v2/nodes", "/v2/pools", 1),
			"no answer to GET /v2/nodes",
		},
		"no list":     {har(``), "no answer to GET /v2/nodes is in it"},
		"a part":      {listed(`{"size":9000,"text":"{"}`), "not recorded whole: there are 1 of 9000 bytes"},
		"broken list": {listed(`{"size":2,"text":"{}"}`), "the last list in it: this is neither"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mocktest.Start(t, mockserver.WithMaxNodes(1))
			if err := server.LoadNodes([]byte(`{"nodes":[` + node + `]}`)); err != nil {
				t.Fatal(err)
			}
			if err := server.LoadNodes([]byte(test.list)); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("says %v, want %q", err, test.says)
			}
			if got := server.Nodes(); len(got) != 1 {
				t.Errorf("there are nodes %v after that, want the one from before", got)
			}
		})
	}
}

// TestLoadNodesAtAnyTime loads nodes whose times are the greatest and the least that the document
// allows.
func TestLoadNodesAtAnyTime(t *testing.T) {
	t.Parallel()
	server := mocktest.Start(t, mockserver.WithClock(clock.PausedAt(time.UnixMilli(1_759_276_800_000))))
	list := `{"nodes":[`
	for i, ms := range []int64{0, 1<<53 - 1} {
		list += strings.Repeat(",", i) + fmt.Sprintf(`{"node_id":"n%d","machine_id":"m","address":"http://h:1",`+
			`"pools":["p"],"capabilities":{},"status":"Failed","registered_at_ms":%d,"last_heartbeat_ms":0}`, i, ms)
	}
	if err := server.LoadNodes([]byte(list + `]}`)); err != nil {
		t.Fatal(err)
	}
	nodes := listOf(t, server, 0)
	if old, young := nodes["n0"].RegisteredAtMs, nodes["n1"].RegisteredAtMs; old != 0 || young != 1_759_276_800_000 {
		t.Errorf("the nodes registered at %d and %d, want 0 and now", old, young)
	}
}

func TestNothingIsLoadedInFrontOfAnother(t *testing.T) {
	t.Parallel()
	front := inFront(t, "http://127.0.0.1:1")
	if err := front.LoadNodes([]byte(`{"nodes":[]}`)); err == nil || !strings.Contains(err.Error(), "in front of") {
		t.Errorf("says %v", err)
	}
}
