// Package registration keeps a GPU node registered with orchestratord: it
// registers at start-up, sends a heartbeat with the status of the node's pools
// every few seconds, and deregisters at shutdown.
//
//	node, err := registration.New(registration.Config{
//		NodeID:           "gpu-node-1",
//		MachineID:        "machine-alpha",
//		Address:          "http://192.168.1.100:9200",
//		OrchestratordURL: "http://192.168.1.1:8080",
//		Pools:            []string{"pool-0"},
//		Capabilities:     registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
//		APIToken:         registration.StaticToken(os.Getenv("LLORCH_API_TOKEN")),
//	})
//	if err != nil {
//		return err
//	}
//	return node.Run(ctx, func(context.Context) ([]registration.PoolStatus, error) {
//		return []registration.PoolStatus{{PoolID: "pool-0", Ready: true, SlotsFree: 4, SlotsTotal: 4}}, nil
//	})
//
// [Node.Run] lives for as long as its context. A program that has to order the
// steps itself, for example to drain its pools before it leaves, calls
// [Node.Register], [Node.StartHeartbeat] and [Node.Deregister].
//
// # What a node may rely on
//
// One goroutine at a time owns a node, so there is never a second heartbeat loop
// and never more than one request in flight. What may pass is retried with
// exponential backoff and full jitter, what cannot is not. A node that
// orchestratord has forgotten registers again by itself, and so does one that was
// cut off for longer than the heartbeat timeout. Heartbeats of a fleet are spread
// and never bunch up, whatever happened before. Deregistering is final and takes
// no longer than its deadline, even when the network swallows every packet.
//
// How each of these is decided stands in one place, as a pure function: see
// schedule.go.
package registration
