package mockserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// registrationOf returns the registration of another node than the brief's.
func registrationOf(id string) string {
	return strings.Replace(briefRegistration, "gpu-node-1", id, 1)
}

// TestMaxNodes has one node more register than may. Those that are there live on.
func TestMaxNodes(t *testing.T) {
	client, server := start(t, mockserver.WithMaxNodes(2))
	client.register(registrationOf("a")).expect(t, http.StatusOK)
	client.register(registrationOf("b")).expect(t, http.StatusOK)
	refused := client.register(registrationOf("c")).expect(t, http.StatusServiceUnavailable)
	if p := refused.problem(t); p.Code != nodeapi.ProblemCodeUnavailable ||
		!strings.Contains(p.Detail, "as many nodes are registered") || refused.Header.Get("Retry-After") != "10" {
		t.Errorf("%s, Retry-After %s", refused.text, refused.Header.Get("Retry-After"))
	}
	client.register(registrationOf("a")).expect(t, http.StatusOK)
	client.beat("b", briefHeartbeat).expect(t, http.StatusOK)
	client.beat("c", briefHeartbeat).expect(t, http.StatusNotFound)
	client.deregister("b").expect(t, http.StatusNoContent)
	client.register(registrationOf("c")).expect(t, http.StatusOK)
	if got := len(server.Nodes()); got != 2 {
		t.Errorf("%d nodes", got)
	}
	for count, status := range map[int]int{2: http.StatusNoContent, 3: http.StatusUnprocessableEntity} {
		var nodes []string
		for i := range count {
			nodes = append(nodes, fmt.Sprintf(`{"registration": %s}`, registrationOf(fmt.Sprint("loaded-", i))))
		}
		client.do("PUT", "/__mock/nodes", `{"nodes": [`+strings.Join(nodes, ",")+`]}`, "Content-Type",
			"application/json").expect(t, status)
	}
	for _, count := range []int{0, -1, mockserver.DefaultMaxNodes + 1} {
		if _, err := mockserver.New(mockserver.WithMaxNodes(count)); err == nil ||
			!strings.Contains(err.Error(), "must be 1 to 1000000") {
			t.Errorf("%d nodes: %v", count, err)
		}
	}
}

// longHeartbeat returns a heartbeat of at least so many bytes that keeps the contract.
func longHeartbeat(bytes int) string {
	model := `"` + strings.Repeat("m", 250) + `"`
	models := strings.TrimSuffix(strings.Repeat(model+",", 1000), ",")
	var pools []string
	for size := 0; size < bytes; size += len(models) {
		pools = append(pools,
			fmt.Sprintf(`{"pool_id": "pool-%d", "ready": true, "slots_free": 1, "models_available": [%s]}`, len(pools),
				models))
	}
	return `{"timestamp": "2025-10-01T00:00:00Z", "pools": [` + strings.Join(pools, ",") + `]}`
}

// TestNodeMemory_heavy has nodes say more than a program of so little memory can keep.
func TestNodeMemory_heavy(t *testing.T) {
	race.Skip(t)
	limit := debug.SetMemoryLimit(64 << 20)
	defer debug.SetMemoryLimit(limit)
	synctest.Test(t, func(t *testing.T) { // where no body is too slow
		server := mocktest.InMemory(t, mockserver.WithLogger(nil))
		client := newClient(t, server.URL, mocktest.Transport(server.Server))
		client.docs = nil // the validator would be what takes time
		long, taken := longHeartbeat(1_700_000), 0
		for i := range 40 {
			id := fmt.Sprint("node-", i)
			client.register(registrationOf(id)).expect(t, http.StatusOK)
			switch got := client.beat(id, long); got.StatusCode {
			case http.StatusOK:
				taken++
			case http.StatusServiceUnavailable:
				if p := got.problem(t); p.Code != nodeapi.ProblemCodeUnavailable ||
					!strings.Contains(p.Detail, "memory") || got.Header.Get("Retry-After") == "" {
					t.Errorf("refused as %s", got.text)
				}
			default:
				t.Fatalf("status %d: %s", got.StatusCode, got.text)
			}
		}
		if taken < 5 || taken > 10 {
			t.Errorf("%d heartbeats of %d bytes were taken", taken, len(long))
		}
		client.beat("node-0", long).expect(t, http.StatusOK)
		client.beat("node-0", briefHeartbeat).expect(t, http.StatusOK)
		client.beat("node-39", long).expect(t, http.StatusOK)
		if node, _ := server.Node("node-38"); node.Status != nodeapi.NodeStatusRegistering || node.Pools != nil {
			t.Errorf("a heartbeat that was refused has changed its node to %s", node.Status)
		}
	})
}

// TestLargeBodies sends many long bodies at once, which do not come to an end: they cost the
// others their place, but not those who send what nodes usually do.
func TestLargeBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocktest.InMemory(t, mockserver.WithLogger(nil))
		client := newClient(t, server.URL, mocktest.Transport(server.Server))
		client.register(briefRegistration).expect(t, http.StatusOK)
		long := longHeartbeat(100_000)
		var ends []*io.PipeWriter
		answered := make(chan int)
		for range 8 {
			body, end := io.Pipe()
			ends = append(ends, end)
			request := client.request("POST", "/v2/nodes/gpu-node-1/heartbeat", "", "Content-Type", "application/json")
			request.Body, request.ContentLength = body, -1
			go func() { answered <- client.send(request).StatusCode }()
			go func() { _, _ = io.WriteString(end, long) }()
		}
		synctest.Wait()
		refused := client.beat("gpu-node-1", long).expect(t, http.StatusServiceUnavailable)
		if p := refused.problem(t); !strings.Contains(p.Detail, "bodies of more than 65536 bytes") ||
			refused.Header.Get("Retry-After") == "" {
			t.Errorf("refused as %s", refused.text)
		}
		client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
		waits := make(chan int)
		go func() { waits <- client.beat("gpu-node-1", long).StatusCode }()
		time.Sleep(time.Second)
		for i, end := range ends {
			_ = end.Close()
			if i == 0 {
				if status := <-waits; status != http.StatusOK {
					t.Errorf("one that waited for its place: status %d", status)
				}
			}
			if status := <-answered; status != http.StatusOK {
				t.Errorf("a long heartbeat: status %d", status)
			}
		}
		client.beat("gpu-node-1", long).expect(t, http.StatusOK)
	})
}

// TestLargeBodiesThatHang has a fault let long heartbeats hang, which then hold up no others.
func TestLargeBodiesThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := mocktest.InMemory(t, mockserver.WithLogger(nil),
			fault(t, "{match: {node: stuck}, effect: {connection: hang}}"))
		client := newClient(t, server.URL, mocktest.Transport(server.Server))
		client.register(briefRegistration).expect(t, http.StatusOK)
		long := longHeartbeat(100_000)
		ctx, cancel := context.WithCancel(t.Context())
		var hanging sync.WaitGroup
		for range 10 {
			request := client.request("POST", "/v2/nodes/stuck/heartbeat", long, "Content-Type",
				"application/json").WithContext(ctx)
			hanging.Go(func() { _, _ = client.http.Do(request) })
		}
		synctest.Wait()
		client.beat("gpu-node-1", long).expect(t, http.StatusOK)
		cancel()
		hanging.Wait()
		synctest.Wait()
		page := server.Journal().Page(journal.Filter{Node: "stuck"}, 100)
		for _, entry := range page.Entries {
			if got := entry.Request.Body.Bytes; got != int64(len(long)) {
				t.Errorf("the journal has a body of %d bytes, want %d", got, len(long))
			}
		}
		if len(page.Entries) != 10 {
			t.Errorf("the journal has %d requests that hang, want 10", len(page.Entries))
		}
	})
}

// TestForgetAfter follows a node that falls silent until nothing is left of it but the
// journal.
func TestForgetAfter(t *testing.T) {
	log := newLog()
	clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
	client, server := start(t, mockserver.WithForgetAfter(time.Hour), mockserver.WithClock(clock),
		mockserver.WithLogger(log.logger))
	client.register(briefRegistration).expect(t, http.StatusOK)
	clock.Advance(mockserver.DefaultNodeTimeout)
	clock.Advance(time.Hour - time.Second)
	if node, known := server.Node("gpu-node-1"); !known || node.Status != nodeapi.NodeStatusOffline {
		t.Fatalf("a second too soon: %v, %+v", known, node)
	}
	clock.Advance(time.Second)
	if _, known := server.Node("gpu-node-1"); known {
		t.Error("it is not forgotten")
	}
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusNotFound)
	client.register(briefRegistration).expect(t, http.StatusOK)
	checkForgotten(t, server, log)
	if _, err := mockserver.New(mockserver.WithForgetAfter(-time.Second)); err == nil {
		t.Error("nodes can be forgotten before they are offline")
	}
}

func checkForgotten(t *testing.T, server *mocktest.Server, log *log) {
	t.Helper()
	var changes []string
	for _, entry := range server.Journal().Page(journal.Filter{Node: "gpu-node-1"}, 100).Entries {
		if entry.Change != nil {
			changes = append(changes, entry.Summary)
		}
	}
	want := []string{
		"gpu-node-1 → Registering", "gpu-node-1 Registering → Offline", "gpu-node-1 Offline → gone",
		"gpu-node-1 → Registering",
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if got := log.entries("node forgotten"); len(got) != 1 || got[0].attrs["node_id"] != "gpu-node-1" {
		t.Errorf("logged: %v", got)
	}
}

// TestForgetSooner takes a node Offline by hand or by a fault, so that it is to be forgotten before
// another can fall silent. The journal has both.
func TestForgetSooner(t *testing.T) {
	byHand := func(client *client) {
		client.do("PUT", "/__mock/nodes/gpu-node-1/status", `{"status": "Offline"}`, "Content-Type",
			"application/json").expect(t, http.StatusOK)
	}
	beats := func(client *client) { client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK) }
	for name, test := range map[string]struct {
		effect string
		act    func(*client)
		left   int
	}{
		"by hand":            {"offline: node", byHand, 1},
		"by a fault":         {"offline: node", beats, 1},
		"by a fault for all": {"offline: all", beats, 0},
		"by neither":         {"offline: node", func(client *client) { client.list() }, 2},
	} {
		clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
		client, server := start(t, mockserver.WithForgetAfter(5*time.Second), mockserver.WithClock(clock),
			fault(t, "{match: {operations: [heartbeatNode]}, effect: {"+test.effect+"}}"))
		client.register(briefRegistration).expect(t, http.StatusOK)
		client.register(registrationOf("gpu-node-2")).expect(t, http.StatusOK)
		last := server.Journal().Counts().Last
		test.act(client)
		clock.Advance(5 * time.Second)
		if nodes := server.Nodes(); len(nodes) != test.left {
			t.Errorf("%s: left are %+v, want %d", name, nodes, test.left)
		}
		changes := summaries(server, journal.Filter{After: &last, Kind: control.EntryKindChange})
		if len(changes) != 2*(2-test.left) {
			t.Errorf("%s: the journal says %q", name, changes)
		}
	}
}

// TestNobodyIsForgotten by default.
func TestNobodyIsForgotten(t *testing.T) {
	clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
	client, server := start(t, mockserver.WithClock(clock))
	client.register(briefRegistration).expect(t, http.StatusOK)
	clock.Advance(365 * 24 * time.Hour)
	if node, _ := server.Node("gpu-node-1"); node.Status != nodeapi.NodeStatusOffline {
		t.Errorf("after a year it is %q", node.Status)
	}
}

// TestExchangesAtOnce_heavy has many clients send requests of their own at the same time, good
// and bad, and looks for what belongs to another. The race detector helps.
func TestExchangesAtOnce_heavy(t *testing.T) {
	s := newServer(t)
	var clients sync.WaitGroup
	each := race.Share(t, 100, 10)
	for client := range 8 {
		clients.Go(func() {
			for i := range each {
				id := "node-" + strconv.Itoa(client) + "-" + strconv.Itoa(i)
				good := strings.Replace(fullRegistration, "gpu-node-1", id, 1)
				for _, request := range []struct {
					method, path, body string
					status             int
				}{
					{"POST", "/v2/nodes/register", good, 200},
					{"POST", "/v2/nodes/register", strings.Replace(good, "8.6", "", 1), 422},
					{"POST", "/v2/nodes/" + id + "/heartbeat", fullHeartbeat, 200},
					{"POST", "/v2/nodes/" + id + "x/heartbeat", fullHeartbeat, 404},
					{"GET", "/v2/" + id, "", 404},
				} {
					r := httptest.NewRequest(request.method, request.path, strings.NewReader(request.body))
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("X-Correlation-Id", id)
					w := httptest.NewRecorder()
					s.ServeHTTP(w, r)
					text := w.Body.String()
					if w.Code != request.status || w.Header().Get("X-Correlation-Id") != id {
						t.Errorf("%s: %d %v", request.path, w.Code, w.Header())
					}
					if at := strings.Index(text, "node-"); at >= 0 && !strings.HasPrefix(text[at:], id) &&
						request.status != 422 {
						t.Errorf("%s: %s", request.path, text)
					}
				}
			}
		})
	}
	clients.Wait()
	nodes := s.Nodes()
	if len(nodes) != 8*each {
		t.Fatalf("%d nodes", len(nodes))
	}
	for _, node := range nodes {
		if node.Registration.MachineID != "machine-alpha" || len(node.Pools) != 1 || node.Pools[0].PoolID != "pool-0" {
			t.Errorf("%+v", node)
		}
	}
}

// TestASecondServerIsCheap starts one as each case of many a test does. The documents are read once a process.
func TestASecondServerIsCheap(t *testing.T) {
	const most = 3_000 // allocations; 2,109 when this was written
	start := func() {
		server, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
	}
	start()
	if got := testing.AllocsPerRun(10, start); got > most {
		t.Errorf("a server costs %.0f allocations, want at most %d", got, most)
	}
}
