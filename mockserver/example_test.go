package mockserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/llama-orch/node-registration/mockserver"
)

func ExampleNew() {
	server, err := mockserver.New(mockserver.WithTokens("old-token", "new-token"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	request := httptest.NewRequest(http.MethodPost, "/v2/nodes/register", strings.NewReader(`{
		"node_id": "gpu-node-1",
		"machine_id": "machine-alpha",
		"address": "http://192.168.1.100:9200",
		"pools": ["pool-0"],
		"capabilities": {"gpu_count": 2, "total_vram_mb": 48000, "cuda_version": "12.1"}
	}`))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer new-token")
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, request)

	fmt.Print(answer.Body)
	for _, node := range server.Nodes() {
		fmt.Println(node.Registration.NodeID, "is", node.Status)
	}
	// Output:
	// {"message":"node registered","node_id":"gpu-node-1","success":true}
	// gpu-node-1 is Registering
}
