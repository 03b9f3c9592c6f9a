package mockserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// wire carries requests to a mock without a network, so that time can be virtual.
type wire struct {
	mock *mockserver.Server
	cut  atomic.Bool
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errors.New("the cable is pulled")
	}
	answer := httptest.NewRecorder()
	w.mock.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// listed reports whether the list of nodes has any.
func (w *wire) listed(t *testing.T) bool {
	t.Helper()
	answer := httptest.NewRecorder()
	w.mock.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
	var list nodeapi.NodeList
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		t.Fatalf("%s: %v", answer.Body, err)
	}
	return list.Count > 0
}

// TestNodeCutOffInService cuts nodes off for 50 s. In service a node that merely goes on beating
// stays lost. The client registers again, and is back within an interval.
func TestNodeCutOffInService(t *testing.T) {
	t.Run("a node that merely beats", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			call := func(path, body string) {
				t.Helper()
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				answer, err := w.RoundTrip(r)
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Fatalf("%s: %v, %v", path, answer, err)
				}
			}
			call("/v2/nodes/register", rustRegistration)
			call("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
			if !w.listed(t) {
				t.Error("the node is not listed")
			}
			time.Sleep(50 * time.Second)
			for range 60 {
				call("/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
				time.Sleep(10 * time.Second)
				if w.listed(t) {
					t.Fatal("the node is listed again")
				}
			}
		})
	})
	t.Run("the client", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- run(ctx, w) }()
			time.Sleep(15 * time.Second)
			if !w.listed(t) {
				t.Error("the node is not listed")
			}
			w.cut.Store(true)
			time.Sleep(50 * time.Second)
			if w.listed(t) {
				t.Error("the node is listed although it is cut off")
			}
			w.cut.Store(false)
			time.Sleep(10 * time.Second)
			if !w.listed(t) {
				t.Error("the node is not back")
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	})
}

func newWire(t *testing.T) *wire {
	t.Helper()
	mock, err := mockserver.New(mockserver.WithDialect(mockserver.InService))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	return &wire{mock: mock}
}

// run is a node that never renews its registration while all is well.
func run(ctx context.Context, w *wire) error {
	node, err := registration.New(registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://127.0.0.1:9200", Pools: []string{"pool-0"},
		OrchestratordURL: "http://orchestratord.invalid", RegisterEvery: -1,
		HTTPClient: &http.Client{Transport: w}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	return node.Run(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 3, SlotsTotal: 4}}, nil
	})
}
