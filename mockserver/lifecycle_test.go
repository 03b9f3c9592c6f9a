package mockserver_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const drainingHeartbeat = `{"timestamp": "2025-10-01T00:00:10Z", "pools": [
	{"pool_id": "pool-0", "ready": false, "draining": true, "slots_free": 0},
	{"pool_id": "pool-1", "ready": false, "draining": true, "slots_free": 0}
]}`

// TestLife follows one node from its registration to its departure.
func TestLife(t *testing.T) {
	epoch := time.UnixMilli(1_759_276_800_000)
	clock := clock.PausedAt(epoch)
	client, server := start(t, mockserver.WithClock(clock))
	status := func() nodeapi.NodeStatus {
		t.Helper()
		list := client.list()
		if len(list.Nodes) != 1 || list.Count != 1 {
			t.Fatalf("list: %+v", list)
		}
		return list.Nodes[0].Status
	}
	expect := func(want nodeapi.NodeStatus) {
		t.Helper()
		if got := status(); got != want {
			t.Fatalf("%s after the start: %s, want %s", clock.Now().Sub(epoch), got, want)
		}
	}

	var registered nodeapi.RegisterResponse
	decode(t, client.register(briefRegistration).expect(t, http.StatusOK).text, &registered)
	if want := (nodeapi.RegisterResponse{
		Success: true, Message: "node registered",
		NodeID: "gpu-node-1",
	}); registered != want {
		t.Errorf("register: %+v", registered)
	}
	expect(nodeapi.NodeStatusRegistering)

	clock.Advance(10 * time.Second)
	var taken nodeapi.HeartbeatResponse
	decode(t, client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK).text, &taken)
	if want := (nodeapi.HeartbeatResponse{Success: true, NextHeartbeatMs: 10_000}); taken != want {
		t.Errorf("heartbeat: %+v", taken)
	}
	expect(nodeapi.NodeStatusOnline)

	client.beat("gpu-node-1", drainingHeartbeat).expect(t, http.StatusOK)
	expect(nodeapi.NodeStatusDraining)
	client.beat("gpu-node-1", strings.Replace(drainingHeartbeat, "true", "false", 1)).expect(t, http.StatusOK)
	expect(nodeapi.NodeStatusOnline)
	client.beat("gpu-node-1", `{"timestamp": "2025-10-01T00:00:10Z", "pools": []}`).expect(t, http.StatusOK)
	expect(nodeapi.NodeStatusOnline)

	clock.Advance(30*time.Second - 1)
	expect(nodeapi.NodeStatusOnline)
	clock.Advance(1)
	expect(nodeapi.NodeStatusOffline)
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	expect(nodeapi.NodeStatusOnline)
	last := clock.Now()

	want := nodeapi.Node{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		Pools: []string{"pool-0", "pool-1"},
		Capabilities: nodeapi.ReportedCapabilities{
			GPUCount: new(int32(2)), TotalVRAMMB: new(int64(48000)), CUDAVersion: new("12.1"),
		},
		Status:         nodeapi.NodeStatusOnline,
		RegisteredAtMs: epoch.UnixMilli(), LastHeartbeatMs: new(last.UnixMilli()),
	}
	if diff := cmp.Diff(want, client.list().Nodes[0]); diff != "" {
		t.Errorf("node (-want +got):\n%s", diff)
	}

	client.deregister("gpu-node-1").expect(t, http.StatusNoContent)
	client.deregister("gpu-node-1").expect(t, http.StatusNotFound)
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusNotFound)
	if list := client.list(); len(list.Nodes) != 0 || list.Count != 0 || len(server.Nodes()) != 0 {
		t.Errorf("list: %+v", list)
	}
}

// TestRegisterAgain replaces a record (CLOUD-2004).
func TestRegisterAgain(t *testing.T) {
	clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
	client, server := start(t, mockserver.WithClock(clock))
	client.register(briefRegistration).expect(t, http.StatusOK)
	client.beat("gpu-node-1", drainingHeartbeat).expect(t, http.StatusOK)
	clock.Advance(20 * time.Second)

	again := strings.NewReplacer("machine-alpha", "machine-beta", `"pool-1"`, `"pool-2"`).Replace(briefRegistration)
	var answer nodeapi.RegisterResponse
	decode(t, client.register(again).expect(t, http.StatusOK).text, &answer)
	if answer.Message != "node registered again" {
		t.Errorf("message %q", answer.Message)
	}
	got := server.Nodes()[0]
	if got.Status != nodeapi.NodeStatusRegistering || !got.RegisteredAt.Equal(clock.Now()) ||
		!got.LastHeartbeat.IsZero() ||
		got.Registration.MachineID != "machine-beta" || len(server.Nodes()) != 1 {
		t.Errorf("node: %+v", got)
	}
	if len(got.Pools) != 1 || got.Pools[0].PoolID != "pool-0" {
		t.Errorf("pools: %+v, want the last status of pool-0 alone", got.Pools)
	}
	if client.list().Nodes[0].LastHeartbeatMs != nil {
		t.Error("the last heartbeat is of the registration before")
	}

	clock.Advance(29 * time.Second) // 49 s after the last heartbeat, 29 s after the registration
	if got := server.Nodes()[0].Status; got != nodeapi.NodeStatusRegistering {
		t.Errorf("status %s, want the timeout to begin anew", got)
	}
	clock.Advance(time.Second)
	if got := server.Nodes()[0].Status; got != nodeapi.NodeStatusOffline {
		t.Errorf("status %s, want Offline", got)
	}
}

// TestSilentNodes runs three nodes in real time that passes at once. Nobody asks for
// their status until the end; that they went offline is in the log.
func TestSilentNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		server, err := mockserver.New(mockserver.WithLogger(log.logger), mockserver.WithNodeTimeout(15*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		client := newClient(t, "http://orchestratord", mocktest.Transport(server))
		begin := time.Now()
		for _, id := range []string{"crashes-at-once", "crashes-later", "stays"} {
			client.register(edited(t, briefRegistration, "/node_id", id)).expect(t, http.StatusOK)
		}
		for range 6 {
			time.Sleep(10 * time.Second)
			client.beat("stays", briefHeartbeat).expect(t, http.StatusOK)
			if time.Since(begin) <= 20*time.Second {
				client.beat("crashes-later", briefHeartbeat).expect(t, http.StatusOK)
			}
		}
		offline := map[string]time.Duration{}
		for _, entry := range log.entries("node offline") {
			offline[entry.attrs["node_id"]] = entry.time.Sub(begin)
		}
		want := map[string]time.Duration{"crashes-at-once": 15 * time.Second, "crashes-later": 35 * time.Second}
		if diff := cmp.Diff(want, offline); diff != "" {
			t.Errorf("offline at (-want +got):\n%s", diff)
		}
		client.beat("crashes-at-once", briefHeartbeat).expect(t, http.StatusOK)
		for _, node := range client.list().Nodes {
			if online := node.NodeID != "crashes-later"; online != (node.Status == nodeapi.NodeStatusOnline) {
				t.Errorf("%s is %s", node.NodeID, node.Status)
			}
		}
	})
}

// TestNodeThatNeverBeats has nothing but a registration to begin the timeout.
func TestNodeThatNeverBeats(t *testing.T) {
	clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
	client, server := start(t, mockserver.WithClock(clock))
	client.register(briefRegistration).expect(t, http.StatusOK)
	clock.Advance(30 * time.Second)
	if got := server.Nodes()[0].Status; got != nodeapi.NodeStatusOffline {
		t.Errorf("status %s, want Offline", got)
	}
}

// TestClose ends the watch. Nodes stay as they are.
func TestClose(t *testing.T) {
	clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
	client, server := start(t, mockserver.WithClock(clock))
	client.register(briefRegistration).expect(t, http.StatusOK)
	server.Close()
	server.Close()
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	clock.Advance(time.Hour)
	if got := server.Nodes()[0].Status; got != nodeapi.NodeStatusOnline {
		t.Errorf("status %s, want Online", got)
	}
}

// TestClockEndsForATest puts the clock forward without the control API, which would limit it by itself. It goes no
// further than an answer can state.
func TestClockEndsForATest(t *testing.T) {
	last := spec.Control().LastTime
	server := newServer(t, mockserver.WithClock(clock.PausedAt(last.Add(-time.Second))))
	if err := server.Clock().Advance(2 * time.Second); !errors.Is(err, clock.ErrBeyond) {
		t.Errorf("2 s forward, 1 s before its end: %v", err)
	}
	if err := server.Clock().Advance(time.Second); err != nil || !server.Clock().Now().Equal(last) {
		t.Errorf("it ends at %s, %v; want %s", server.Clock().Now(), err, last)
	}
}

// TestTimeByOrder lets real time pass for a silent node while the server's clock is paused or
// advanced.
func TestTimeByOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := clock.New()
		server, err := mockserver.New(mockserver.WithClock(clock))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		client := newClient(t, "http://orchestratord", mocktest.Transport(server))
		client.register(briefRegistration).expect(t, http.StatusOK)
		client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
		for _, step := range []struct {
			order func()
			pass  time.Duration
			want  nodeapi.NodeStatus
		}{
			{clock.Pause, time.Hour, nodeapi.NodeStatusOnline},
			{clock.Resume, 10 * time.Second, nodeapi.NodeStatusOnline},
			{func() { clock.SetSpeed(10) }, 2*time.Second - 1, nodeapi.NodeStatusOnline},
			{func() {}, 1, nodeapi.NodeStatusOffline},
			{func() { client.beat("gpu-node-1", briefHeartbeat) }, 3*time.Second - 1, nodeapi.NodeStatusOnline},
			{func() { clock.Advance(10) }, 0, nodeapi.NodeStatusOffline},
		} {
			step.order()
			if step.pass > 0 {
				time.Sleep(step.pass)
				synctest.Wait()
			}
			if got := client.list().Nodes[0].Status; got != step.want {
				t.Errorf("at %s: %s, want %s", clock.Now(), got, step.want)
			}
		}
	})
}

// TestNodeNamedRegister has an id that is also the last step of a path.
func TestNodeNamedRegister(t *testing.T) {
	client, server := start(t)
	client.register(edited(t, briefRegistration, "/node_id", "register")).expect(t, http.StatusOK)
	client.beat("register", briefHeartbeat).expect(t, http.StatusOK)
	client.deregister("register").expect(t, http.StatusNoContent)
	if nodes := server.Nodes(); len(nodes) != 0 {
		t.Errorf("nodes: %+v", nodes)
	}
}

// TestListIsOrdered registers nodes in no order.
func TestListIsOrdered(t *testing.T) {
	client, _ := start(t)
	for _, id := range []string{"b", "c", "A", "a", "10", "9"} {
		client.register(edited(t, briefRegistration, "/node_id", id)).expect(t, http.StatusOK)
	}
	var ids []string
	for _, node := range client.list().Nodes {
		ids = append(ids, node.NodeID)
	}
	if diff := cmp.Diff([]string{"10", "9", "A", "a", "b", "c"}, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// TestTwin has nodes register again: the same one, one that has been silent for too long, and
// another one beside a live one. Only the last is worth a warning.
func TestTwin(t *testing.T) {
	for _, test := range []struct {
		name     string
		machine  string
		address  string
		beat     string
		silent   time.Duration
		warnings int
	}{
		{"the same", "machine-a", "http://192.0.2.1:9200", briefHeartbeat, 0, 0},
		{"another machine", "machine-b", "http://192.0.2.1:9200", briefHeartbeat, 0, 1},
		{"another address", "machine-a", "http://192.0.2.2:9200", briefHeartbeat, 20 * time.Second, 1},
		{"it was draining", "machine-b", "http://192.0.2.1:9200", drainingHeartbeat, 0, 1},
		{"it does not say where", "", "", briefHeartbeat, 0, 0},
		{"it had never beaten", "machine-b", "http://192.0.2.1:9200", "", 0, 0},
		{"it was offline", "machine-b", "http://192.0.2.1:9200", briefHeartbeat, time.Minute, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			still := clock.PausedAt(time.UnixMilli(startMs))
			client, server := start(t, mockserver.WithClock(still), mockserver.WithValidation(mockserver.Off),
				mockserver.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			register := func(machine, address string) {
				body := `{"node_id":"gpu-node-1","machine_id":"` + machine + `","address":"` + address +
					`","pools":[],"capabilities":{"gpu_count":0,"total_vram_mb":0,"cuda_version":"12.1"}}`
				client.register(body).expect(t, http.StatusOK)
			}
			register("machine-a", "http://192.0.2.1:9200")
			still.Advance(20 * time.Second)
			if test.beat != "" {
				client.beat("gpu-node-1", test.beat).expect(t, http.StatusOK)
			}
			if err := still.Advance(test.silent); err != nil {
				t.Fatal(err)
			}
			register(test.machine, test.address)
			const names = " live_machine_id=machine-a live_address=http://192.0.2.1:9200 correlation_id="
			warnings := strings.Count(log.String(), "level=WARN msg=")
			if named := strings.Count(log.String(), names); warnings != test.warnings || named != warnings {
				t.Errorf("%d warnings, %d of them naming the live node: %s", warnings, named, &log)
			}
			summaries := ""
			for _, entry := range server.Journal().Page(journal.Filter{}, 10).Entries {
				summaries += entry.Summary + "\n"
			}
			noted := strings.Contains(summaries,
				"(a live node had this id: machine machine-a at http://192.0.2.1:9200)")
			if noted != (test.warnings == 1) {
				t.Errorf("the journal says %s", summaries)
			}
		})
	}
}
