package mockserver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
)

func newServer(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestNothingIsLeftOver serves requests that leave something in every field of their
// exchange, and every other time break off. None finds what one before it has left.
func TestNothingIsLeftOver(t *testing.T) {
	s := newServer(t)
	router := chi.NewRouter()
	router.Use(s.correlate)
	s.router = router
	broken := 0
	router.Get("/v2/nodes", s.hold(func(x *exchange) {
		if len(x.requestBody) > 0 || x.input != nil || x.nodeID != "" || x.checked.value != nil || x.fault != "" || x.departures != nil || x.failure != nil ||
			x.transmit != nil || x.rest != nil || x.status != 0 || x.body.Len() > 0 || x.typed || len(x.answer.header) != 2 {
			t.Errorf("left over: %+v", x)
		}
		x.requestBody, _ = readAll(x.requestBody, strings.NewReader("body"))
		x.input, x.checked.value, x.nodeID, x.fault = x, x, "node", "fault"
		x.transmit = func(http.ResponseWriter) {}
		x.Header().Set("Left", "over")
		x.WriteHeader(http.StatusTeapot)
		setFailure(x, x.request, http.ErrAbortHandler)
		if broken++; broken%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	}, nil).ServeHTTP)
	for range 100 {
		func() {
			defer func() { _ = recover() }()
			s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
		}()
	}
	if broken != 100 {
		t.Errorf("%d requests were served", broken)
	}
}

// TestContextAfterTheEnd keeps the context of a request for longer than the request.
func TestContextAfterTheEnd(t *testing.T) {
	s := newServer(t)
	router := chi.NewRouter()
	s.router = router
	var kept context.Context
	router.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		if kept = r.Context(); exchangeIn(kept) == nil {
			t.Error("there is no exchange")
		}
	})
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if exchangeIn(kept) != nil || chi.RouteContext(kept) != nil {
		t.Error("the exchange of another request is within reach")
	}
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
				good := strings.Replace(goodRegistration, "gpu-node-1", id, 1)
				for _, request := range []struct {
					method, path, body string
					status             int
				}{
					{"POST", "/v2/nodes/register", good, 200},
					{"POST", "/v2/nodes/register", strings.Replace(good, "8.6", "", 1), 422},
					{"POST", "/v2/nodes/" + id + "/heartbeat", goodHeartbeat, 200},
					{"POST", "/v2/nodes/" + id + "x/heartbeat", goodHeartbeat, 404},
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
					if at := strings.Index(text, "node-"); at >= 0 && !strings.HasPrefix(text[at:], id) && request.status != 422 {
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
		if node.Registration.MachineID != "machine-alpha" || len(node.Pools) != 2 || node.Pools[0].PoolID != "pool-0" {
			t.Errorf("%+v", node)
		}
	}
}
