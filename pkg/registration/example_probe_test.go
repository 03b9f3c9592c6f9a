package registration_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// The probes of Kubernetes. The node is alive while orchestratord is away, since a restart
// would not bring that back; it is ready once it has been online.
func ExampleNode_Healthy() {
	orchestratord, _ := mockserver.New()
	defer orchestratord.Close()
	server := httptest.NewServer(orchestratord)
	defer server.Close()

	online := make(chan struct{})
	node, err := registration.New(registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
		OrchestratordURL: server.URL, Pools: []string{"pool-0"},
		OnEvent: func(e registration.Event) {
			if e.Type == registration.EventOnline {
				close(online)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	probe := func(fault func() error) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if err := fault(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/healthz", probe(func() error { return node.Healthy(30 * time.Second) }))
	mux.Handle("/readyz", probe(node.Ready))
	ask := func(path string) int {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		return answer.Code
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	fmt.Println("before:", ask("/healthz"), ask("/readyz"))
	if err := node.Register(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("registered:", ask("/readyz"))
	_ = node.StartHeartbeat(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4}}, nil
	})
	<-online
	fmt.Println("online:", ask("/healthz"), ask("/readyz"))
	_ = node.Deregister(ctx)
	// Output:
	// before: 503 503
	// registered: 503
	// online: 200 200
}
