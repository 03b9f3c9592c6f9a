// Package registration keeps a GPU node registered with orchestratord. It registers at
// start-up, sends a heartbeat with the status of the node's pools every few seconds, and
// deregisters at shutdown.
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
// [Node.Run] lives for as long as its context. A program that has to order the steps
// itself calls [Node.Register], [Node.StartHeartbeat] and [Node.Deregister]. [Node.Notify]
// sends a change of status at once, [Node.Update] changes what the node registers with.
//
// # What a node may rely on
//
//   - One goroutine at a time owns a node: there is never a second heartbeat loop, and
//     never more than one request in flight.
//   - Failures that may pass are retried with exponential backoff and full jitter. A refusal
//     ends Register and the start of Run. While heartbeats run, a refused registration is
//     tried again, every minute or so.
//   - A node that orchestratord has forgotten registers again by itself. So does one that
//     was cut off for nearly NodeTimeout, and every node once in RegisterEvery.
//   - The first heartbeat follows the first registration within a second. The others of a
//     fleet are spread over the interval and never bunch up.
//   - A status callback, logger, event receiver, token source or transport that hangs,
//     panics or ends its goroutine holds up nothing beyond its share of time.
//   - Deregistering is final and keeps its deadline, even if the network swallows every
//     packet. It removes only a record that this node has made.
//
// The rules of when registrations and heartbeats are sent are in one place, as a pure function:
// see schedule.go.
package registration
