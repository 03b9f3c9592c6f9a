package registration_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// A node that finishes its work before it leaves. Its heartbeats go on meanwhile, and say
// that its pool takes no more.
func ExampleConfig_drain() {
	orchestratord, _ := mockserver.New()
	defer orchestratord.Close()
	server := httptest.NewServer(orchestratord)
	defer server.Close()

	ctx, stop := context.WithCancel(context.Background()) // a program takes signal.NotifyContext
	defer stop()
	var draining atomic.Bool
	workDone := make(chan struct{})
	finish := sync.OnceFunc(func() { close(workDone) }) // a program's last request does this

	node, err := registration.New(registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: server.URL, Pools: []string{"pool-0"},
		Drain: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // nothing else ends it
			defer cancel()
			draining.Store(true) // which a heartbeat says at once
			select {
			case <-workDone:
				fmt.Println("the work is done")
			case <-ctx.Done():
				fmt.Println("the work takes too long")
			}
		},
		OnEvent: func(e registration.Event) {
			if e.Type == registration.EventOnline {
				stop() // as SIGTERM would
			}
			for _, known := range orchestratord.Nodes() {
				if len(known.Pools) == 1 && *known.Pools[0].Draining {
					finish()
				}
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = node.Run(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		leaving := draining.Load()
		return []registration.PoolStatus{{PoolID: "pool-0", Ready: !leaving, Draining: leaving, SlotsTotal: 4}}, nil
	})
	fmt.Println("left:", err == nil && len(orchestratord.Nodes()) == 0)
	// Output:
	// the work is done
	// left: true
}
