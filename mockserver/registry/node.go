package registry

import (
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Node is what is known of a node at one moment. It shares memory with other Nodes:
// it is for reading only.
type Node struct {
	Registration nodeapi.RegisterRequest
	// Stated has the capabilities as the node sent them, if it left out some that the document
	// requires, or as a loaded list has them. Registration has zeros for those that are not there.
	// Otherwise nil.
	Stated        *nodeapi.ReportedCapabilities
	Status        nodeapi.NodeStatus
	RegisteredAt  time.Time            // when it last registered
	LastHeartbeat time.Time            // zero until the first after it registered
	Heard         time.Time            // the last sign of life, at which its timeout begins
	Pools         []nodeapi.PoolStatus // as last reported
	WrittenOff    bool                 // whether it stays Offline until it registers again, whatever the policy
	History       []Transition         // the last HistorySize changes of its status, the oldest first
}

// Transition is a change of a node's status.
type Transition struct {
	At       time.Time
	From, To nodeapi.NodeStatus // From is empty when the node was not registered
}

// HistorySize is how many changes of its status are remembered of a node.
const HistorySize = 16

// Change is what a call did to a node.
type Change struct {
	Node    Node               // after the call; without a status when the node is not registered
	Was     nodeapi.NodeStatus // before the call; empty when the node was not registered
	Refused error              // why the call did nothing, ErrTooManyNodes or ErrTooManyBytes; nil if it did
}

// StatusChanged reports whether the node has another status than before.
func (c Change) StatusChanged() bool {
	return c.Node.Status != c.Was
}

// remembered returns a history with one more transition. It never changes what is in the
// history given, which others may be reading.
func remembered(history []Transition, next Transition) []Transition {
	if len(history) < HistorySize {
		return append(history, next)
	}
	return append(slices.Clone(history[len(history)-HistorySize+1:]), next)
}

// drains reports whether there are pools and all of them drain.
func drains(pools []nodeapi.PoolStatus) bool {
	return len(pools) > 0 && !slices.ContainsFunc(pools, works)
}

// works reports whether a pool does not drain.
func works(pool nodeapi.PoolStatus) bool { return pool.Draining == nil || !*pool.Draining }

// offers returns how many pools of a node take work, for placement (CLOUD-2014).
func (n *Node) offers() int {
	if n.Status != nodeapi.NodeStatusOnline {
		return 0
	}
	count := 0
	for _, pool := range n.Pools {
		if pool.Ready && works(pool) {
			count++
		}
	}
	return count
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
