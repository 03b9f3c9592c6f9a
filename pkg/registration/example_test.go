package registration_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// A program whose life is the node's: it registers, beats until it is asked to
// stop, and deregisters.
func ExampleNode_Run() {
	orchestratord, _ := mockserver.New()
	defer orchestratord.Close()
	server := httptest.NewServer(orchestratord)
	defer server.Close()

	ctx, stop := context.WithCancel(context.Background()) // a program takes signal.NotifyContext
	defer stop()
	node, err := registration.New(registration.Config{
		NodeID:           "gpu-node-1",
		MachineID:        "machine-alpha",
		Address:          "http://192.168.1.100:9200",
		OrchestratordURL: server.URL,
		Pools:            []string{"pool-0"},
		Capabilities:     registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		Jitter:           func() float64 { return 0 }, // the first heartbeat at once, for this example
		OnEvent: func(e registration.Event) {
			if e.Type == registration.EventOnline {
				fmt.Println(e.Type, "with", orchestratord.Nodes()[0].Pools[0].SlotsFree, "free slots")
				stop()
			}
		},
	})
	if err != nil {
		fmt.Println(err) // lists everything wrong with the Config
		return
	}
	err = node.Run(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
	})
	fmt.Println("left:", err == nil && len(orchestratord.Nodes()) == 0)
	// Output:
	// online with 4 free slots
	// left: true
}

// A program that orders the steps itself.
func ExampleNode_Deregister() {
	orchestratord, _ := mockserver.New()
	defer orchestratord.Close()
	server := httptest.NewServer(orchestratord)
	defer server.Close()

	ctx := context.Background()
	node, err := registration.New(registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: server.URL, Pools: []string{"pool-0"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := node.Register(ctx); err != nil { // returns when the node is on record, or cannot be
		fmt.Println(err)
		return
	}
	fmt.Println("on record:", orchestratord.Nodes()[0].Registration.NodeID)

	draining := false
	_ = node.StartHeartbeat(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{PoolID: "pool-0", Ready: !draining, Draining: draining}}, nil
	})
	// … serve, then drain; heartbeats go on …
	if err := node.Deregister(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println("on record:", len(orchestratord.Nodes()))
	// Output:
	// on record: gpu-node-1
	// on record: 0
}
