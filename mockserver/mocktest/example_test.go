package mocktest_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func ExampleStart() {
	var t *testing.T // of the test that this is in

	orchestratord := mocktest.Start(t)
	client, err := nodeapi.NewClientWithResponses(orchestratord.URL)
	if err != nil {
		t.Fatal(err)
	}
	registration := nodeapi.RegisterRequest{
		NodeID:       "gpu-node-1",
		MachineID:    "machine-alpha",
		Address:      "http://192.168.1.100:9200",
		Pools:        []nodeapi.PoolID{"pool-0"},
		Capabilities: nodeapi.NodeCapabilities{GPUCount: 2, TotalVRAMMB: 48000, CUDAVersion: "12.1"},
	}
	if _, err := client.RegisterNodeWithResponse(t.Context(), nil, registration); err != nil {
		t.Fatal(err)
	}
	if nodes := orchestratord.Nodes(); len(nodes) != 1 {
		t.Errorf("%d nodes are registered, want 1", len(nodes))
	}
}

func ExampleTransport() {
	orchestratord, err := mockserver.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer orchestratord.Close()

	client := http.Client{Transport: mocktest.Transport(orchestratord)}
	response, err := client.Get("http://orchestratord/v2/nodes")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, string(text), err)
	// Output:
	// 200 OK {"nodes":[],"count":0}
	//  <nil>
}
