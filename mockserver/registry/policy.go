package registry

import (
	"maps"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Policy is what an orchestratord makes of what its nodes send, where the document leaves
// that open. There are two: Document and InService.
type Policy interface {
	// afterHeartbeat returns the status that a heartbeat with these pools gives a node.
	afterHeartbeat(node *Node, pools []nodeapi.PoolStatus) nodeapi.NodeStatus
	// pools returns the status of a node's pools after a heartbeat has reported some.
	pools(before, reported []nodeapi.PoolStatus) []nodeapi.PoolStatus
	// kept returns the status of the pools that a node keeps when it registers again with these.
	kept(before []nodeapi.PoolStatus, registered []nodeapi.PoolID) []nodeapi.PoolStatus
	// remembers reports whether the status of the pools outlives the node's record.
	remembers() bool
	// expires reports whether a node with this status is marked offline when it is silent.
	expires(status nodeapi.NodeStatus) bool
	// checked returns until when a timeout was over for a node to be found silent by now.
	checked(now time.Time) time.Time
	// nextCheck returns when a node is found silent whose timeout is over at from.
	nextCheck(from time.Time) time.Time
	// lists reports whether the list of nodes has a node.
	lists(node *Node, now time.Time) bool
}

// SetPolicy changes what the registry makes of what nodes send from now on. Nodes that are on
// record keep their status.
func (r *Registry) SetPolicy(policy Policy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = policy
	if !policy.remembers() {
		r.forgetLeft()
	}
	r.watchAll(slices.Collect(maps.Values(r.nodes)))
}

// Document is the policy that the OpenAPI document describes:
//
//   - a node that was offline is back with its next heartbeat;
//   - a heartbeat reports all pools of a node;
//   - a node is offline at the moment when its timeout is over;
//   - all nodes are listed.
type Document struct{}

func (Document) afterHeartbeat(_ *Node, pools []nodeapi.PoolStatus) nodeapi.NodeStatus {
	if drains(pools) {
		return nodeapi.NodeStatusDraining
	}
	return nodeapi.NodeStatusOnline
}

func (Document) pools(_, reported []nodeapi.PoolStatus) []nodeapi.PoolStatus { return reported }

func (Document) kept(before []nodeapi.PoolStatus, registered []nodeapi.PoolID) []nodeapi.PoolStatus {
	return listed(before, registered)
}

func (Document) remembers() bool { return false }

func (Document) expires(status nodeapi.NodeStatus) bool {
	return status != nodeapi.NodeStatusOffline && status != nodeapi.NodeStatusFailed
}

func (Document) checked(now time.Time) time.Time { return now }

func (Document) nextCheck(from time.Time) time.Time { return from }

func (Document) lists(*Node, time.Time) bool { return true }

// InService is the policy of the orchestratord in service:
//
//   - Offline sticks: heartbeats are taken, and the node stays Offline until it registers again;
//   - heartbeats are merged pool by pool, and no pool is ever forgotten, not even when its node
//     deregisters or is forgotten;
//   - silent nodes are looked for every CheckEvery, and only among those that are Online;
//   - the list has the nodes that are Online and have sent a heartbeat in the last 30 s.
type InService struct {
	CheckEvery time.Duration // 10 s when it is 0
}

// listedFor is how long after its last heartbeat a node is listed, whatever the timeout.
const listedFor = 30 * time.Second

func (InService) afterHeartbeat(node *Node, _ []nodeapi.PoolStatus) nodeapi.NodeStatus {
	if node.Status == nodeapi.NodeStatusRegistering {
		return nodeapi.NodeStatusOnline
	}
	return node.Status
}

func (InService) pools(before, reported []nodeapi.PoolStatus) []nodeapi.PoolStatus {
	merged := slices.Clone(before) // others may be reading it
	for _, pool := range reported {
		same := func(p nodeapi.PoolStatus) bool { return p.PoolID == pool.PoolID }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i] = pool
		} else {
			merged = append(merged, pool)
		}
	}
	return merged
}

func (InService) kept(before []nodeapi.PoolStatus, _ []nodeapi.PoolID) []nodeapi.PoolStatus {
	return before
}

func (InService) remembers() bool { return true }

func (InService) expires(status nodeapi.NodeStatus) bool { return status == nodeapi.NodeStatusOnline }

// checked is just before the last check: a node is silent when its timeout is more than over.
func (s InService) checked(now time.Time) time.Time { return now.Truncate(s.checkEvery()).Add(-1) }

func (s InService) nextCheck(from time.Time) time.Time {
	return from.Truncate(s.checkEvery()).Add(s.checkEvery())
}

func (s InService) checkEvery() time.Duration {
	if s.CheckEvery > 0 {
		return s.CheckEvery
	}
	return 10 * time.Second
}

func (InService) lists(node *Node, now time.Time) bool {
	return node.Status == nodeapi.NodeStatusOnline && now.Sub(node.LastHeartbeat) <= listedFor
}
