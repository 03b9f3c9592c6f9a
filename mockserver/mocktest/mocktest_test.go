package mocktest_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestStart has a test use a server, and looks whether the server ends with it, although a stream is still open.
func TestStart(t *testing.T) {
	var url string
	var stream io.ReadCloser
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
		if response, err = http.Get(url + "/__mock/stream"); err != nil {
			t.Fatal(err)
		}
		stream = response.Body
	})
	stream.Close()
	if response, err := http.Get(url); err == nil {
		response.Body.Close()
		t.Error("the server outlives its test")
	}
}

// TestInMemory has a request wait that a fault keeps waiting. It ends with the test, or the bubble would not.
func TestInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mocktest.InMemory(t)
		mock.Inject(t, "away", control.FaultDefinition{Rules: control.FaultRules{{
			Effect: control.FaultEffect{Connection: new(control.FaultEffectConnectionHang)},
		}}})
		go func() {
			if response, err := mock.Client().Get(mock.URL + "/v2/nodes"); err == nil {
				response.Body.Close()
				t.Error("there is an answer")
			}
		}()
		synctest.Wait()
	})
}
