package mocktest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// node is one that a test plays.
type node struct {
	t      *testing.T
	id     string
	client *nodeapi.ClientWithResponses
}

func newNode(t *testing.T, mock *mocktest.Server, id string) node {
	t.Helper()
	client, err := nodeapi.NewClientWithResponses(mock.URL, nodeapi.WithHTTPClient(mock.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return node{t, id, client}
}

func (n node) register() {
	n.t.Helper()
	_, err := n.client.RegisterNodeWithResponse(n.t.Context(), nil, nodeapi.RegisterRequest{
		NodeID: n.id, MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		Pools:        []nodeapi.PoolID{"pool-0"},
		Capabilities: nodeapi.NodeCapabilities{GPUCount: 2, TotalVRAMMB: 48000, CUDAVersion: "12.1"},
	})
	if err != nil {
		n.t.Error(err)
	}
}

// beat returns the status of the answer, 0 if there is none.
func (n node) beat(pool nodeapi.PoolStatus) int {
	answer, err := n.client.HeartbeatNodeWithResponse(n.t.Context(), n.id, nil, nodeapi.HeartbeatRequest{
		Timestamp: time.Now(), Pools: []nodeapi.PoolStatus{pool},
	})
	if err != nil {
		return 0
	}
	return answer.StatusCode()
}

// TestExpect plays a node through a day of its life, half of it in no time.
func TestExpect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mocktest.InMemory(t)
		n := newNode(t, mock, "gpu-node-1")
		busy := nodeapi.PoolStatus{PoolID: "pool-0", Ready: true, SlotsFree: 1}
		go func() {
			time.Sleep(time.Second)
			n.register()
			for range 3 {
				time.Sleep(time.Second)
				n.beat(busy)
			}
		}()
		begin := time.Now()
		mock.ExpectStatus(t, "gpu-node-1", nodeapi.NodeStatusRegistering)
		mock.Expect(t, mocktest.AtLeast(2, mocktest.Heartbeats).From("gpu-node-1").
			WithPool("pool-0", mocktest.Ready, mocktest.NotDraining, mocktest.SlotsFree(1)).Answered("2xx"))
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("two heartbeats took %s", took)
		}
		mock.Expect(t, mocktest.Exactly(3, mocktest.Heartbeats).From("gpu-*").Within(time.Hour))
		mock.Expect(t, mocktest.Exactly(1, mocktest.Registrations))
		mock.Expect(t, mocktest.AtMost(0, mocktest.Deregistrations).Within(time.Second))
		mock.Expect(t, mocktest.AtMost(4, mocktest.AllRequests))

		if err := mock.Clock().Advance(12 * time.Hour); err != nil {
			t.Error(err)
		}
		mock.ExpectStatus(t, "gpu-node-1", nodeapi.NodeStatusOffline)
		seen := mock.Journal().Counts().Last
		n.beat(nodeapi.PoolStatus{PoolID: "pool-0", Draining: new(true)})
		mock.ExpectStatus(t, "gpu-node-1", nodeapi.NodeStatusDraining)
		mock.Expect(t,
			mocktest.Exactly(1, mocktest.Heartbeats).After(seen).WithPool("pool-0", mocktest.NotReady,
				mocktest.Draining))
		go func() {
			time.Sleep(time.Second)
			if _, err := n.client.DeregisterNodeWithResponse(t.Context(), n.id, nil); err != nil {
				t.Error(err)
			}
		}()
		mock.ExpectStatus(t, "gpu-node-1", mocktest.Gone)
		synctest.Wait() // until the node has its answer
	})
}

// TestExpectations says each in the words of the control API.
func TestExpectations(t *testing.T) {
	for _, test := range []struct {
		e    mocktest.Expectation
		want string
	}{
		{
			mocktest.AtLeast(2, mocktest.Heartbeats),
			`{"kind":"exchange","operation":"heartbeatNode","at_least":2,"within_ms":5000}`,
		},
		{mocktest.AtMost(0, mocktest.AllRequests), `{"kind":"exchange","at_most":0}`},
		{
			mocktest.Exactly(1, mocktest.Registrations),
			`{"kind":"exchange","operation":"registerNode","at_least":1,"at_most":1}`,
		},
		{
			mocktest.AtMost(1, mocktest.Deregistrations).From("gpu-*").Within(1500 * time.Millisecond),
			`{"kind":"exchange","operation":"deregisterNode","node":"gpu-*","at_most":1,"within_ms":1500}`,
		},
		{
			mocktest.AtMost(1, mocktest.Listings).Answered("4xx").After(7),
			`{"kind":"exchange","operation":"listNodes","answered":"4xx","at_most":1,"after":7}`,
		},
		{
			mocktest.AtMost(1, mocktest.AllRequests).WithPool("p", mocktest.Ready, mocktest.Draining),
			`{"kind":"exchange","at_most":1,"pool":{"pool_id":"p","ready":true,"draining":true}}`,
		},
		{
			mocktest.AtMost(1, mocktest.AllRequests).
				WithPool("p", mocktest.NotReady, mocktest.NotDraining, mocktest.SlotsFree(3)),
			`{"kind":"exchange","at_most":1,"pool":` +
				`{"pool_id":"p","ready":false,"draining":false,"min_slots_free":3,"max_slots_free":3}}`,
		},
	} {
		var want control.Expectation
		if err := json.Unmarshal([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, test.e.Control); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.want, diff)
		}
	}
}

// TestExpectStatusWithoutAJournal waits for a change that nothing writes down.
func TestExpectStatusWithoutAJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mocktest.InMemory(t, mockserver.WithJournal(0))
		n := newNode(t, mock, "gpu-node-1")
		begin := time.Now()
		go func() {
			time.Sleep(time.Second)
			n.register()
		}()
		mock.ExpectStatus(t, "gpu-node-1", nodeapi.NodeStatusRegistering)
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		synctest.Wait() // until the node has its answer
	})
}

// TestFaults has faults act for the length of a test.
func TestFaults(t *testing.T) {
	refuses := control.FaultRules{{Effect: control.FaultEffect{Status: new(int32(503))}}}
	mock := mocktest.InMemory(t, mockserver.WithFaults(map[string]control.FaultDefinition{
		"given": {Enabled: new(false), Rules: refuses},
	}))
	n := newNode(t, mock, "gpu-node-1")
	n.register()
	for _, fault := range []string{"outage", "given", "given"} { // which is there again after a test
		t.Run("switched on "+fault, func(t *testing.T) {
			mock.SwitchOn(t, fault)
			if status := n.beat(nodeapi.PoolStatus{PoolID: "pool-0"}); status == http.StatusOK {
				t.Errorf("the fault %s does not act", fault)
			}
			mock.Expect(t, mocktest.AtMost(0, mocktest.Heartbeats).Answered("2xx"))
		})
	}
	t.Run("injected", func(t *testing.T) {
		mock.Inject(t, "away", control.FaultDefinition{Rules: refuses})
		if status := n.beat(nodeapi.PoolStatus{PoolID: "pool-0"}); status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
		mock.Expect(t, mocktest.AtLeast(1, mocktest.Heartbeats).Answered("503"))
	})
	if status := n.beat(nodeapi.PoolStatus{PoolID: "pool-0"}); status != http.StatusOK {
		t.Errorf("status %d after the tests that have faults", status)
	}
}

// TestControl calls the control API of a server in memory.
func TestControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mocktest.InMemory(t, mockserver.WithControlToken("token"))
		newNode(t, mock, "gpu-node-1").register()
		answer, err := mock.Control("token").ReadNodeWithResponse(t.Context(), "gpu-node-1")
		if err != nil || answer.JSON200 == nil {
			t.Fatalf("%v, %s", err, answer.Status())
		}
		if answer, err := mock.Control().ReadNodeWithResponse(t.Context(), "gpu-node-1"); err != nil ||
			answer.StatusCode() != http.StatusUnauthorized {
			t.Errorf("without a token: %v, %s", err, answer.Status())
		}
	})
}
