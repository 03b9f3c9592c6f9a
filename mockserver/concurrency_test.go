package mockserver_test

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

func newServer(t testing.TB, options ...mockserver.Option) *mockserver.Server {
	t.Helper()
	s, err := mockserver.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestExchangesAtOnce has many clients send requests of their own at the same time, good
// and bad, and looks for what belongs to another. The race detector helps.
func TestExchangesAtOnce(t *testing.T) {
	s := newServer(t)
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := range 100 {
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
	if len(nodes) != 800 {
		t.Fatalf("%d nodes", len(nodes))
	}
	for _, node := range nodes {
		if node.Registration.MachineID != "machine-alpha" || len(node.Pools) != 1 || node.Pools[0].PoolID != "pool-0" {
			t.Errorf("%+v", node)
		}
	}
}
