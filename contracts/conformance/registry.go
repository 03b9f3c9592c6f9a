package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// registry is a model of orchestratord's registry: what that has to know about the nodes of
// one session.
type registry struct {
	*session
	known map[string]*node
}

// node is what the model knows about a node. A node that has left stays in the model,
// because it must not be listed.
type node struct {
	registration nodeapi.RegisterRequest
	said         map[string]string // the capabilities in it, each as JSON
	earlier      map[string]string // those in the registration before
	registered   bool
	beaten       bool
	draining     bool          // whether all pools that the last heartbeat reports are
	unsure       bool          // whether it may have been silent for too long
	unheld       string        // the field of its registration whose number the types cannot hold
	agreed       *nodeapi.Node // the last entry of the list that showed what it registered
	reported     []string      // the pools in heartbeats since it registered
	entered      span          // when it registered
	heard        span          // when its last heartbeat came
}

// span bounds, by our clock, when something happened.
type span struct{ from, to time.Time }

func (s *session) registry() *registry {
	return &registry{session: s, known: map[string]*node{}}
}

var wholeNumber = regexp.MustCompile(`^number [0-9]+$`)

// decode decodes a body as a node does. It returns the field whose whole number the types cannot hold, as a
// document with an overlay may allow larger ones.
func decode(body []byte, into any) (unheld string, err error) {
	err = json.Unmarshal(body, into)
	if large, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wholeNumber.MatchString(large.Value) {
		return large.Field, nil
	}
	return "", err
}

// register registers a node with a body that keeps the contract. The list has to show what is in that body, whatever
// is added to the call.
func (r *registry) register(ctx context.Context, body []byte, why string, with ...func(*call)) bool {
	var registration nodeapi.RegisterRequest
	unheld, err := decode(body, &registration)
	if err != nil {
		r.stop(fmt.Errorf("a body made from the document cannot be read: %w", err))
		return false
	}
	id := registration.NodeID
	r.remember(id)
	c := call{op: r.doc.operation(opRegister), node: id, body: body}
	for _, change := range with {
		change(&c)
	}
	a := r.expect(ctx, c, why, c.op.success())
	if a == nil {
		return false
	}
	r.timed(a)
	r.echoes(a, id)
	entered := &node{
		registration: registration, registered: true, unheld: unheld, entered: span{a.began, a.ended},
		said: fields(registration.Capabilities),
	}
	if n := r.known[id]; n != nil {
		entered.earlier = n.said
	}
	r.known[id] = entered
	return true
}

// echoes checks that an answer has the id of the node that has registered.
func (s *session) echoes(a *answer, id string) {
	var body nodeapi.RegisterResponse
	if json.Unmarshal(a.body, &body) == nil && body.NodeID != "" && body.NodeID != id {
		s.find(Nodes, a.op, at(a, "body, id of the node"), strconv.Quote(id), strconv.Quote(short(body.NodeID)))
	}
}

// beat sends a heartbeat of a node, with a body that keeps the contract.
func (r *registry) beat(ctx context.Context, id string, body []byte, why string, with ...func(*call)) bool {
	c := call{op: r.doc.operation(opHeartbeat), node: id, body: body}
	for _, change := range with {
		change(&c)
	}
	n := r.known[id]
	if n == nil || !n.registered {
		return r.expect(ctx, c, "of a node that is not registered", 404) != nil
	}
	a := r.expect(ctx, c, why, c.op.success())
	if a == nil {
		return false
	}
	r.timed(a)
	n.lapse(r.shortestInterval(), a.ended)
	n.beaten, n.heard = true, span{a.began, a.ended}
	n.report(body)
	return true
}

// lapse records that a node may have been silent for too long.
func (n *node) lapse(interval time.Duration, now time.Time) {
	last := n.entered.from
	if n.beaten {
		last = n.heard.from
	}
	n.unsure = n.unsure || interval > 0 && now.Sub(last) >= interval
}

// report records what a heartbeat reports about the node's pools.
func (n *node) report(body []byte) {
	var beat nodeapi.HeartbeatRequest
	if _, err := decode(body, &beat); err != nil {
		return
	}
	n.draining = len(beat.Pools) > 0
	for _, pool := range beat.Pools {
		n.draining = n.draining && pool.Draining != nil && *pool.Draining
		n.reported = append(n.reported, pool.PoolID)
	}
}

// leave deregisters a node.
func (r *registry) leave(ctx context.Context, id string, with ...func(*call)) bool {
	c := call{op: r.doc.operation(opDeregister), node: id}
	for _, change := range with {
		change(&c)
	}
	n := r.known[id]
	if n == nil || !n.registered {
		return r.expect(ctx, c, "of a node that is not registered", 404) != nil
	}
	if r.expect(ctx, c, "of a node that is registered", c.op.success()) == nil {
		return false
	}
	n.registered, n.beaten = false, false
	r.forget(id)
	return true
}

// look compares the list with the model. It reports whether there is no finding that counts.
func (r *registry) look(ctx context.Context) bool {
	before := len(r.found)
	a := r.list(ctx)
	if a == nil {
		return false
	}
	byID := map[string]*nodeapi.Node{}
	for _, node := range a.nodes {
		byID[node.NodeID] = node
	}
	for _, id := range slices.Sorted(maps.Keys(r.known)) {
		r.compare(a.answer, id, r.known[id], byID[id])
	}
	return !slices.ContainsFunc(r.found[before:], r.report.counts)
}

// listing is an answer with the nodes that it lists.
type listing struct {
	*answer
	nodes []*nodeapi.Node
}

// list asks for the list. It returns nil if the list cannot be read.
func (s *session) list(ctx context.Context) *listing {
	op := s.doc.operation(opList)
	a := s.expect(ctx, call{op: op}, "of a list", op.success())
	if a == nil {
		return nil
	}
	if a.listed == nil {
		var body nodeapi.NodeList
		if _, err := decode(a.body, &body); err != nil {
			return nil
		}
		a.listed = listedIn(&body)
	}
	return &listing{a, a.listed.nodes}
}

// compare compares the entry of one node in the list, nil if it has none, with the model.
func (r *registry) compare(a *answer, id string, n *node, shown *nodeapi.Node) {
	if n.registered {
		n.lapse(r.shortestInterval(), a.ended)
	}
	switch {
	case !n.registered && shown != nil:
		r.find(Nodes, a.op, "node that has left", "not to be listed", "status "+string(shown.Status))
	case !n.registered:
	case shown == nil && n.beaten && !n.unsure && !n.draining:
		r.find(Nodes, a.op, "node that is registered and has sent a heartbeat", "to be listed", "nothing of "+id)
	case shown == nil: // it takes no part in placement
	default:
		r.compareStatus(a, n, shown)
		if n.agreed != shown {
			r.compareRecord(a, n, shown)
		}
		r.compareTimes(a, n, shown)
	}
}

// compareStatus compares a node's status with the heartbeats that it has sent.
func (r *registry) compareStatus(a *answer, n *node, shown *nodeapi.Node) {
	expected := nodeapi.NodeStatusRegistering
	switch {
	case n.beaten && n.draining && r.doc.hasStatus(nodeapi.NodeStatusDraining):
		expected = nodeapi.NodeStatusDraining
	case n.beaten:
		expected = nodeapi.NodeStatusOnline
	}
	lost := shown.Status == nodeapi.NodeStatusOffline || shown.Status == nodeapi.NodeStatusFailed
	if shown.Status == expected || n.unsure && lost {
		return
	}
	level := Nodes
	if n.draining && shown.Status == nodeapi.NodeStatusOnline {
		level = Document
	}
	r.find(level, a.op, "status of a node "+n.history(), string(expected), string(shown.Status))
}

// history returns in words what has happened to a node.
func (n *node) history() string {
	switch {
	case n.beaten && n.draining:
		return "whose pools all drain"
	case n.beaten:
		return "that has sent a heartbeat"
	}
	return "that has sent no heartbeat since it registered"
}

// compareRecord compares the listed record of a node with its registration.
func (r *registry) compareRecord(a *answer, n *node, shown *nodeapi.Node) {
	said := n.registration
	before := len(r.found)
	same := func(what, expected, got string) {
		if expected != got {
			r.find(Nodes, a.op, what+" of a node", "what it last registered",
				cmp.Or(short(got), "nothing")+", not "+cmp.Or(short(expected), "nothing"))
		}
	}
	same("machine", said.MachineID, shown.MachineID)
	same("address", said.Address, shown.Address)
	if inOrder(said.Pools) != inOrder(shown.Pools) {
		level := Nodes
		if n.explains(shown.Pools) {
			level = Document
		}
		r.find(level, a.op, "pools of a node", "those that it last registered",
			short(inOrder(shown.Pools))+", not "+short(inOrder(said.Pools)))
	}
	if shown.Version != nil {
		version := ""
		if said.Version != nil {
			version = *said.Version
		}
		same("version", version, *shown.Version)
	} else if said.Version != nil && !r.doc.discards("version") {
		r.find(Document, a.op, "version of a node", "what it last registered", "none")
	}
	if r.compareCapabilities(a, n, shown.Capabilities); len(r.found) == before {
		n.agreed = shown
	}
}

// explains reports whether each pool in the list was registered, or reported in a heartbeat
// since.
func (n *node) explains(shown []string) bool {
	missing := func(pool string) bool { return !slices.Contains(shown, pool) }
	strange := func(pool string) bool {
		return !slices.Contains(n.registration.Pools, pool) && !slices.Contains(n.reported, pool)
	}
	return !slices.ContainsFunc(n.registration.Pools, missing) && !slices.ContainsFunc(shown, strange)
}

func inOrder(pools []string) string { return fmt.Sprint(slices.Sorted(slices.Values(pools))) }

// compareCapabilities compares field by field. Orchestratord may know fewer of them, but keeps
// none of an earlier registration.
func (r *registry) compareCapabilities(a *answer, n *node, shown nodeapi.ReportedCapabilities) {
	listed := fields(shown)
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		got := listed[name]
		switch last, there := n.said[name]; {
		case slices.Contains(strings.Split(n.unheld, "."), name):
			continue
		case there && got != last:
			got += ", not " + last
		case !there && slices.Contains(zeros, got) && r.doc.obliges("capabilities", name):
			continue
		case !there && got == "0" && got != n.earlier[name]:
			r.find(Document, a.op, "capabilities/"+name+" of a node", "none, as it has registered none", got)
			continue
		case there || got != n.earlier[name]:
			continue
		default:
			got += ", which it has not registered again"
		}
		r.find(Nodes, a.op, "capabilities/"+name+" of a node", "what it last registered", short(got))
	}
}

// zeros are values, as JSON, by which a list may say that there is none.
var zeros = []string{"0", `""`, "[]", "{}", "false"}

// fields returns the fields of an object that are there and not null, each as JSON.
func fields(object any) map[string]string {
	text, err := json.Marshal(object)
	if err != nil {
		return nil
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal(text, &raw) != nil {
		return nil
	}
	found := map[string]string{}
	for name, value := range raw {
		if string(value) != "null" {
			found[name] = string(value)
		}
	}
	return found
}

// compareTimes compares the listed times of a node with its real registration and
// heartbeats.
func (r *registry) compareTimes(a *answer, n *node, shown *nodeapi.Node) {
	same := func(what string, ms int64, at span) {
		if expected, ok := r.clock.observe(time.UnixMilli(ms), at.from, at.to); !ok {
			r.find(Nodes, a.op, "time of the "+what+" of a node", "about when it happened",
				fmt.Sprintf("%d, not %d", ms, expected))
		} else if off, mistaken := r.clock.mistakenZone(a); mistaken {
			r.find(Nodes, a.op, "time of the "+what+" of a node",
				"milliseconds since 1970, in UTC like the header Date",
				strconv.FormatInt(ms, 10)+", which is "+off.String()+" off")
		}
	}
	same("registration", shown.RegisteredAtMs, n.entered)
	switch {
	case n.beaten && shown.LastHeartbeatMs == nil:
		r.find(Nodes, a.op, "time of the last heartbeat of a node "+n.history(), "one", "none")
	case n.beaten:
		same("last heartbeat", *shown.LastHeartbeatMs, n.heard)
	case shown.LastHeartbeatMs != nil && !r.isNever(*shown.LastHeartbeatMs):
		got := strconv.FormatInt(*shown.LastHeartbeatMs, 10)
		r.find(Document, a.op, "time of the last heartbeat of a node "+n.history(), "none", got)
	}
}

// overdue reports whether any node may have been silent for too long.
func (r *registry) overdue() bool {
	for _, n := range r.known {
		n.lapse(r.shortestInterval(), time.Now())
		if n.unsure {
			return true
		}
	}
	return false
}
