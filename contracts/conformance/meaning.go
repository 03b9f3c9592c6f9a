package conformance

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/wrongtype"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// clockTolerance is how far the clock of orchestratord may be from ours.
const clockTolerance = 24 * time.Hour

// judgeMeaning checks what no schema can state about a successful answer. It decodes the
// body as a node does, which is stricter about numbers and names than a schema.
func (s *session) judgeMeaning(a *answer, schema *openapi3.Schema) {
	switch a.op.id {
	case opRegister:
		var body nodeapi.RegisterResponse
		if s.readable(a, &body) && !body.Success {
			s.find(Nodes, a.op, at(a, "body/success"), "true, as the request keeps the contract", "false: "+
				short(body.Message))
		}
	case opHeartbeat:
		var body nodeapi.HeartbeatResponse
		if !s.readable(a, &body) {
			return
		}
		if !body.Success {
			s.find(Nodes, a.op, at(a, "body/success"), "true", "false")
		}
		s.judgeInterval(a, time.Duration(body.NextHeartbeatMs)*time.Millisecond)
	case opList:
		var body nodeapi.NodeList
		if s.readable(a, &body) {
			a.listed = listedIn(&body)
			a.listed.know(a.body, schema)
			s.judgeList(a, int(body.Count))
		}
	}
}

// readable decodes a body as a node does.
func (s *session) readable(a *answer, into any) bool {
	if _, err := decode(a.body, into); err != nil {
		s.find(Nodes, a.op, at(a, "body"), "what a node can read", wrongtype.Explain(err).Error())
		return false
	}
	return true
}

// usualInterval is that of an orchestratord with no other setting (CLOUD-2011).
const usualInterval = 10 * time.Second

// Between these lies the interval that orchestratord directs. Less were seconds, and more
// microseconds, taken for milliseconds.
const (
	leastInterval = 100 * time.Millisecond
	mostInterval  = time.Hour
)

// judgeInterval checks the interval until the next heartbeat, and records it.
func (s *session) judgeInterval(a *answer, interval time.Duration) {
	timeout := s.options.NodeTimeout
	switch place := at(a, "body/next_heartbeat_ms"); {
	case interval < leastInterval || interval > mostInterval:
		expected := fmt.Sprintf("milliseconds, between %v and %v", leastInterval, mostInterval)
		s.find(Nodes, a.op, place, expected, interval.String())
	case timeout > 0 && interval >= timeout:
		level := Nodes
		if timeout < usualTimeout && interval == usualInterval {
			level = Document // in service the interval is fixed, and a test may shorten the timeout
		}
		s.find(level, a.op, place, "less than the node timeout of "+timeout.String(), interval.String())
	}
	s.recordInterval(interval)
}

// recordInterval records the interval until the next heartbeat that an answer directs.
func (r *run) recordInterval(interval time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interval == 0 || interval < r.interval {
		r.interval = interval
	}
}

// shortestInterval returns the shortest interval that orchestratord has directed. A node that
// is silent no longer than that stays online.
func (r *run) shortestInterval() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.interval
}

func (s *session) judgeList(a *answer, count int) {
	nodes := a.listed.nodes
	if count != len(nodes) {
		got := fmt.Sprintf("%d for %d nodes", count, len(nodes))
		s.find(Nodes, a.op, at(a, "body/count"), "the number of nodes", got)
	}
	seen := map[string]bool{}
	for _, node := range nodes {
		if seen[node.NodeID] {
			s.find(Nodes, a.op, at(a, "body/nodes"), "each node once", fmt.Sprintf("%q twice", node.NodeID))
		}
		seen[node.NodeID] = true
		s.judgeTimes(a, node)
	}
}

// judgeTimes checks the times of a listed node against the clock.
func (s *session) judgeTimes(a *answer, node *nodeapi.Node) {
	if last := node.LastHeartbeatMs; last != nil && !s.isNever(*last) {
		s.judgeTime(a, "last heartbeat", *last, node.NodeID)
	}
	s.judgeTime(a, "registration", node.RegisteredAtMs, node.NodeID)
}

// isNever reports whether a listed time says that there was no heartbeat yet.
func (r *run) isNever(ms int64) bool {
	field, _ := reflect.TypeFor[nodeapi.Node]().FieldByName("LastHeartbeatMs")
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return ms == 0 && r.doc.obliges(name)
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
