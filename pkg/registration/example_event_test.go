package registration_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// A program that follows what happens to its node.
func ExampleConfig_onEvent() {
	orchestratord, _ := mockserver.New()
	defer orchestratord.Close()
	server := httptest.NewServer(orchestratord)
	defer server.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan struct{})
	node, err := registration.New(registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: server.URL, Pools: []string{"pool-0"},
		OnEvent: func(e registration.Event) { // on a goroutine of its own, in order
			switch e.Type {
			case registration.EventRegistered:
				fmt.Println(e.Type, "because it", e.Reason)
			case registration.EventFailed:
				fmt.Println(e.Type, e.Err, "next attempt in", e.Next)
			case registration.EventOnline:
				fmt.Println(e.Type)
				stop()
			case registration.EventDeregistered:
				fmt.Println(e.Type)
				close(ended)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = node.Run(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4}}, nil
	})
	<-ended // the last event may come after Run has returned
	// Output:
	// registered because it started
	// online
	// deregistered
}
