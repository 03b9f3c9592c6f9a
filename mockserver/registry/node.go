package registry

import (
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Node is what is known of a node at one moment. It shares memory with other Nodes:
// it is for reading only.
type Node struct {
	Registration  nodeapi.RegisterRequest
	Status        nodeapi.NodeStatus
	RegisteredAt  time.Time            // when it last registered
	LastHeartbeat time.Time            // zero until the first after it registered
	Pools         []nodeapi.PoolStatus // as last reported
}

// Change is what a call did to a node.
type Change struct {
	Node Node               // after the call
	Was  nodeapi.NodeStatus // before the call; empty when the node was not registered
}

// StatusChanged reports whether the node has another status than before.
func (c Change) StatusChanged() bool {
	return c.Node.Status != c.Was
}

// drains reports whether there are pools and all of them drain.
func drains(pools []nodeapi.PoolStatus) bool {
	works := func(pool nodeapi.PoolStatus) bool { return pool.Draining == nil || !*pool.Draining }
	return len(pools) > 0 && !slices.ContainsFunc(pools, works)
}

// listed returns the statuses of those pools that ids lists.
func listed(pools []nodeapi.PoolStatus, ids []nodeapi.PoolID) []nodeapi.PoolStatus {
	var kept []nodeapi.PoolStatus
	for _, pool := range pools {
		if slices.Contains(ids, pool.PoolID) {
			kept = append(kept, pool)
		}
	}
	return kept
}
