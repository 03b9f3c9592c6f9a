package mocktest_test

import (
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestStart has a test use a server, and looks whether the server ends with it.
func TestStart(t *testing.T) {
	var url string
	t.Run("use", func(t *testing.T) {
		server := mocktest.Start(t, mockserver.WithTokens("secret"))
		url = server.URL
		response, err := http.Get(url + "/v2/nodes")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized || len(server.Nodes()) != 0 {
			t.Errorf("status %d, nodes %+v", response.StatusCode, server.Nodes())
		}
	})
	if response, err := http.Get(url); err == nil {
		response.Body.Close()
		t.Error("the server outlives its test")
	}
}
