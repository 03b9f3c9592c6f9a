package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// clockTolerance is how far the clock of orchestratord may be from ours.
const clockTolerance = 24 * time.Hour

// judgeMeaning checks what no schema can state about a successful answer. It decodes the
// body as a node does, which is stricter about numbers and names than a schema.
func (s *session) judgeMeaning(a *answer) {
	switch a.op.id {
	case opRegister:
		var body nodeapi.RegisterResponse
		if s.readable(a, &body) && !body.Success {
			s.find(Nodes, a.op, at(a, "body/success"), "true, as the request keeps the contract", "false: "+short(body.Message))
		}
	case opHeartbeat:
		var body nodeapi.HeartbeatResponse
		if !s.readable(a, &body) {
			return
		}
		if !body.Success {
			s.find(Nodes, a.op, at(a, "body/success"), "true", "false")
		}
		s.directed(time.Duration(body.NextHeartbeatMs) * time.Millisecond)
	case opList:
		var body nodeapi.NodeList
		if s.readable(a, &body) {
			s.judgeList(a, body)
		}
	}
}

// readable decodes a body as a node does.
func (s *session) readable(a *answer, into any) bool {
	if err := json.Unmarshal(a.body, into); err != nil {
		s.find(Nodes, a.op, at(a, "body"), "what a node can read", err.Error())
		return false
	}
	return true
}

// directed records the heartbeat interval that orchestratord directs.
func (r *run) directed(interval time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interval == 0 || interval < r.interval {
		r.interval = interval
	}
}

// patience is how long a node may be silent without becoming offline.
func (r *run) patience() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.interval
}

func (s *session) judgeList(a *answer, body nodeapi.NodeList) {
	if int(body.Count) != len(body.Nodes) {
		got := fmt.Sprintf("%d for %d nodes", body.Count, len(body.Nodes))
		s.find(Nodes, a.op, at(a, "body/count"), "the number of nodes", got)
	}
	seen := map[string]bool{}
	for _, node := range body.Nodes {
		if seen[node.NodeID] {
			s.find(Nodes, a.op, at(a, "body/nodes"), "each node once", fmt.Sprintf("%q twice", node.NodeID))
		}
		seen[node.NodeID] = true
		s.judgeTimes(a, node)
	}
}

// judgeTimes checks the times of a listed node against the clock.
func (s *session) judgeTimes(a *answer, node nodeapi.Node) {
	if node.LastHeartbeatMs != nil {
		s.judgeTime(a, "last heartbeat", *node.LastHeartbeatMs, node.NodeID)
	}
	s.judgeTime(a, "registration", node.RegisteredAtMs, node.NodeID)
}

// judgeTime checks one time against the clock. Only the times of our own nodes have to be
// recent.
func (s *session) judgeTime(a *answer, what string, ms int64, node string) {
	at, now := time.UnixMilli(ms), time.Now()
	switch {
	case at.After(now.Add(clockTolerance)):
	case s.owns(node) && at.Before(now.Add(-clockTolerance)):
	default:
		return
	}
	s.find(Nodes, a.op, "time of the "+what, "milliseconds since 1970, near now", strconv.FormatInt(ms, 10))
}
