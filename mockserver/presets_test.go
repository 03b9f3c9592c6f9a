package mockserver_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// TestPresets has real nodes live through five minutes of each preset. When it is
// switched off they are online again before long, and they leave in peace.
func TestPresets(t *testing.T) {
	for name := range faults.Presets() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock, err := mockserver.New()
				if err != nil {
					t.Fatal(err)
				}
				defer mock.Close()
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				var nodes sync.WaitGroup
				for n := range 3 {
					node := newNode(t, mock, fmt.Sprint("gpu-node-", n+1))
					nodes.Go(func() {
						if err := node.Run(ctx, ready); err != nil {
							t.Errorf("node %d: %v", n+1, err)
						}
					})
				}
				time.Sleep(time.Minute)
				if _, known := mock.Faults().Switch(name, true); !known {
					t.Fatal("there is no such preset")
				}
				time.Sleep(5 * time.Minute)
				if state, _ := mock.Faults().Switch(name, false); state.Applied == 0 {
					t.Error("it did nothing")
				}
				// A node whose token was refused at the very last asks again within a minute,
				// and its first heartbeat comes within half an interval of that.
				patience := time.Minute + registration.DefaultHeartbeatInterval
				if name == "clock-step" || name == "sticky-offline" { // a node learns nothing of these
					patience = 2 * registration.DefaultRegisterEvery
				}
				time.Sleep(patience)
				online := 0
				for _, node := range mock.Nodes() {
					if node.Status == nodeapi.NodeStatusOnline {
						online++
					}
				}
				if online != 3 {
					t.Errorf("of 3 nodes, %d are online: %+v", online, mock.Nodes())
				}
				leave()
				nodes.Wait()
				if left := mock.Nodes(); len(left) > 0 {
					t.Errorf("still there: %+v", left)
				}
			})
		})
	}
}

// newNode returns a node that reaches a server in memory.
func newNode(t *testing.T, mock *mockserver.Server, id string) *registration.Node {
	t.Helper()
	node, err := registration.New(registration.Config{
		NodeID:           id,
		MachineID:        "machine-alpha",
		Address:          "http://192.168.1.100:9200",
		OrchestratordURL: "http://orchestratord",
		Pools:            []string{"pool-0"},
		Capabilities:     registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:         registration.StaticToken("secret"),
		HTTPClient:       &http.Client{Transport: mocktest.Transport(mock)},
		Logger:           slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

func ready(context.Context) ([]registration.PoolStatus, error) {
	return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
}
