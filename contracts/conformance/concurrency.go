package conformance

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	callers     = 4  // at once
	callerCalls = 40 // of each
	sharedNodes = 3  // that all of them call for
	rounds      = 6  // of meetings
	throngSize  = 50 // nodes that come at once, each on a connection of its own (CLOUD-11020)
	// closingTime is how long a proxy may take to notice that connections are closed.
	closingTime = 250 * time.Millisecond
	// orderTimeout is how long the search for an order may take.
	orderTimeout = 5 * time.Second
)

// callAtOnce runs several callers on the same nodes at once, and checks that their
// history is linearizable. The answers must fit some sequential order that agrees with
// the clock.
func callAtOnce(ctx context.Context, s *session) {
	s.begin()
	h := &history{node: make([]string, sharedNodes), began: time.Now()}
	for i := range h.node {
		h.node[i] = s.name()
	}
	h.mingle(ctx, s)
	h.meet(ctx, s)
	s.throng(ctx)
	for _, id := range h.node {
		s.send(ctx, call{op: s.doc.operation(opDeregister), node: id}, "of a node that others call for")
	}
	if s.reason() != nil {
		return
	}
	hasty := s.shortestInterval() < orderTimeout
	model := registryModel(hasty)
	result, info := porcupine.CheckOperationsVerbose(model, h.operations, orderTimeout)
	switch result {
	case porcupine.Unknown:
		s.doubt = fmt.Sprintf("the search for their order gave up after %v", orderTimeout)
	case porcupine.Illegal:
		s.contradiction(h, hasty, s.draw(model, info))
	}
}

// throng has many nodes live at once, and no other connection is open meanwhile. Their calls are not
// timed, since it may be our own machine that is too busy.
func (s *session) throng(ctx context.Context) {
	s.prober.kept.CloseIdleConnections()
	s.pause(ctx, closingTime)
	var group sync.WaitGroup
	start := make(chan struct{})
	for range throngSize {
		own, id, line := s.run.session(s.check), s.name(), s.prober.lineOfItsOwn()
		defer line.CloseIdleConnections()
		s.remember(id)
		group.Go(func() {
			<-start
			own.liveInThrong(ctx, id, line)
		})
	}
	close(start)
	group.Wait()
}

// liveInThrong has a node come, send a heartbeat and leave, all on one connection.
func (s *session) liveInThrong(ctx context.Context, id string, line *http.Transport) {
	for _, c := range []call{
		{op: s.doc.operation(opRegister), node: id, body: s.plainRegister(id), own: line},
		{op: s.doc.operation(opHeartbeat), node: id, body: s.plainBeat(), own: line},
		{op: s.doc.operation(opDeregister), node: id, own: line},
	} {
		if s.expect(ctx, c, fmt.Sprintf("of one of %d nodes at once", throngSize), c.op.success()) == nil {
			return
		}
	}
	s.forget(id)
}

// draw writes the picture of a history to a file, and returns where it is.
func (s *session) draw(model porcupine.Model, info porcupine.LinearizationInfo) string {
	if s.options.Picture == "" {
		return ""
	}
	if err := porcupine.VisualizePath(model, info, s.options.Picture); err != nil {
		return ", and no picture of them: " + err.Error()
	}
	return ", see " + s.options.Picture
}

// history is what several callers did, and saw.
type history struct {
	node  []string
	began time.Time

	mu         sync.Mutex
	operations []porcupine.Operation
}

// deed is what a caller did with a node, and sight is the result that it saw.
type (
	deed struct {
		op     string
		node   int
		record string // that it registers
	}
	sight struct {
		known  bool // whether there was an answer
		status int
		listed bool
		record string
		state  nodeapi.NodeStatus
	}
)

// mingle has all callers call for any of the nodes, each in its own order.
func (h *history) mingle(ctx context.Context, s *session) {
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			own, chance := s.run.session(s.check), s.random(1000+caller)
			for i := range callerCalls {
				op, node := opList, chance.IntN(sharedNodes)
				switch n := chance.IntN(10); {
				case n < 3:
					op = opRegister
				case n < 6:
					op = opHeartbeat
				case n < 7:
					op = opDeregister
				}
				h.call(ctx, own, caller, deed{op: op, node: node, record: fmt.Sprintf("%d-%d", caller, i)})
			}
		})
	}
	group.Wait()
}

// meetings are what all callers do with one node at the same moment.
var meetings = [][callers]string{
	{opRegister, opRegister, opRegister, opRegister},
	{opHeartbeat, opDeregister, opHeartbeat, opHeartbeat},
	{opRegister, opHeartbeat, opHeartbeat, opRegister},
	{opDeregister, opDeregister, opDeregister, opDeregister},
	{opRegister, opDeregister, opRegister, opHeartbeat},
}

// meet has all callers meet at each node. The list shows what has come of it.
func (h *history) meet(ctx context.Context, s *session) {
	for i := range rounds * len(meetings) {
		var group sync.WaitGroup
		for caller, op := range meetings[i%len(meetings)] {
			d := deed{op: op, node: i / len(meetings) % sharedNodes, record: fmt.Sprintf("%d-m%d", caller, i)}
			group.Go(func() { h.call(ctx, s.run.session(s.check), caller, d) })
		}
		group.Wait()
		h.look(ctx, s.run.session(s.check), 0)
	}
}

// call makes one call of a caller.
func (h *history) call(ctx context.Context, s *session, caller int, d deed) {
	c := call{op: s.doc.operation(d.op), node: h.node[d.node]}
	statuses := []int{http.StatusNotFound, c.op.success()}
	record := d.record
	c.header = http.Header{correlationHeader: {h.node[d.node] + "-" + record}}
	d.record = ""
	switch d.op {
	case opList:
		h.look(ctx, s, caller)
		return
	case opRegister:
		s.remember(c.node)
		d.record = record
		c.body, statuses = encode(recordOf(c.node, record)), statuses[1:]
	case opHeartbeat:
		c.body = encode(heartbeatOf(beats, nil))
	}
	s.begin()
	if d.op != opRegister {
		s.trail = []made{{call: call{
			op: s.doc.operation(opRegister), node: c.node, body: encode(recordOf(c.node, record)),
		}}}
	}
	began := h.now()
	a := s.expect(ctx, c, "of a call made at once with others", statuses...)
	seen, ended := sight{}, int64(math.MaxInt64) // it may be done at any time
	if a != nil {
		seen, ended = sight{known: true, status: a.status}, h.now()
	}
	if a != nil && d.op == opRegister {
		s.echoes(a, c.node)
	}
	h.add(porcupine.Operation{ClientId: caller, Input: d, Output: seen, Call: began, Return: ended, Metadata: c})
}

func (h *history) now() int64 { return time.Since(h.began).Nanoseconds() }

func (h *history) add(operations ...porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, operations...)
}

// look looks at the list, which shows each node.
func (h *history) look(ctx context.Context, s *session, caller int) {
	s.begin()
	began := h.now()
	listing := s.list(ctx)
	if listing == nil {
		return
	}
	ended := h.now()
	for i, id := range h.node {
		seen := sight{known: true, status: listing.status}
		at := slices.IndexFunc(listing.nodes, func(n *nodeapi.Node) bool { return n.NodeID == id })
		if at >= 0 {
			shown := listing.nodes[at]
			seen.listed, seen.state, seen.record = true, shown.Status, recordIn(shown)
		}
		h.add(porcupine.Operation{
			ClientId: caller, Input: deed{op: opList, node: i}, Output: seen, Call: began, Return: ended,
			Metadata: listing.call,
		})
	}
}

// recordOf is a registration that shows in several fields which one it is.
func recordOf(id, record string) nodeapi.RegisterRequest {
	r := registrationOf(step{act: comes}, id)
	r.MachineID, r.Address, r.Pools = "machine-"+record, exampleAddress+"/"+record, []string{"pool-" + record}
	return r
}

// recordIn returns which registration an entry of the list shows, or all of them.
func recordIn(shown *nodeapi.Node) string {
	record := ""
	if len(shown.Pools) == 1 {
		record = strings.TrimPrefix(shown.Pools[0], "pool-")
	}
	for _, other := range []string{
		strings.TrimPrefix(shown.MachineID, "machine-"), strings.TrimPrefix(shown.Address, exampleAddress+"/"),
	} {
		if other != record {
			return "a mixture of " + strconv.Quote(other) + " and " + strconv.Quote(record)
		}
	}
	return record
}
