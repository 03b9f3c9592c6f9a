package browser_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// controlOf returns a client of a mock's control API.
func controlOf(t *testing.T, mock *mocktest.Server) *control.ClientWithResponses {
	t.Helper()
	client, err := control.NewClientWithResponses(mock.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// startNode runs a real node against a mock until the test ends.
func startNode(t *testing.T, mock *mocktest.Server, id string) {
	t.Helper()
	transport := &http.Transport{}
	node, err := registration.New(registration.Config{
		NodeID:            id,
		MachineID:         "machine-" + id[len(id)-1:],
		Address:           "http://127.0.0.1:9200",
		OrchestratordURL:  mock.URL,
		Pools:             []string{"pool-0"},
		Capabilities:      capabilities(),
		HeartbeatInterval: time.Second,
		Version:           "0.1.0",
		HTTPClient:        &http.Client{Transport: transport},
		Logger:            slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = node.Run(ctx, func(context.Context) ([]registration.PoolStatus, error) {
			return []registration.PoolStatus{poolStatus("pool-0", 3)}, nil
		})
	}()
	t.Cleanup(func() {
		stop()
		<-done
		transport.CloseIdleConnections()
	})
}

func capabilities() registration.Capabilities {
	c := registration.Capabilities{
		GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1", CPUCores: 32,
		RAMTotalBytes: 128 << 30,
	}
	for id := range int32(2) {
		c.GPUs = append(c.GPUs,
			registration.GPU{
				DeviceID: id, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24_000_000_000,
				ComputeCapability: "8.6",
			})
	}
	return c
}

func poolStatus(id string, free int32) registration.PoolStatus {
	return registration.PoolStatus{
		PoolID: id, Ready: true, SlotsFree: free, SlotsTotal: 4,
		VRAMFreeBytes: int64(free) * 4_000_000_000,
	}
}

// load gives a mock nodes that are Online, and slows its clock: so they stay, however long the
// browser takes.
func load(t *testing.T, mock *mocktest.Server, ids ...string) {
	t.Helper()
	var nodes []control.FixtureNode
	for i, id := range ids {
		online, silent := nodeapi.NodeStatusOnline, int64(i%7)*300
		total, vram := int32(4), int64(i%5)*4_000_000_000
		pools := []nodeapi.PoolStatus{{
			PoolID: "pool-0", Ready: true, SlotsFree: int32(i % 5), SlotsTotal: &total,
			VRAMFreeBytes: &vram,
		}}
		gpus, memory, cuda := int32(2), int64(48_000), "12.1"
		nodes = append(nodes, control.FixtureNode{
			Registration: nodeapi.RegisterRequest{
				NodeID: id, MachineID: fmt.Sprintf("machine-%d", i+1), Address: "http://192.168.1.100:9200",
				Pools:        []string{"pool-0"},
				Capabilities: nodeapi.NodeCapabilities{GPUCount: gpus, TotalVRAMMB: memory, CUDAVersion: cuda},
			},
			Status: &online, Pools: &pools, SilentForMs: &silent,
		})
	}
	answer, err := controlOf(t, mock).LoadNodesWithResponse(t.Context(), control.Fixture{Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode() != http.StatusNoContent {
		t.Fatalf("nodes are not loaded: %s %s", answer.Status(), answer.Body)
	}
	setSpeed(t, mock, clock.MinSpeed)
}

// setSpeed sets how many seconds pass for a mock in a second.
func setSpeed(t *testing.T, mock *mocktest.Server, speed float64) {
	t.Helper()
	answer, err := controlOf(t, mock).ChangeClockWithResponse(t.Context(), control.ClockChange{Speed: &speed})
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode() != http.StatusOK {
		t.Fatalf("the speed is not set: %s %s", answer.Status(), answer.Body)
	}
}

func ids(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("gpu-node-%d", i+1))
	}
	return all
}

// post sends a request as a node does that no client library holds to the contract.
func post(t *testing.T, url, body string, header ...string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
}

// quiet keeps the mock's log out of the test's output.
var quiet = mockserver.WithLogger(nil)

// nodeAPI returns the path of an operation of the node API that has no parameter.
func nodeAPI(t *testing.T, operation string) string {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range document.Paths.Map() {
		for _, each := range item.Operations() {
			if each.OperationID == operation {
				return path
			}
		}
	}
	t.Fatalf("there is no operation %s", operation)
	return ""
}
