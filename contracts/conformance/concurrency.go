package conformance

import (
	"context"
	"fmt"
	"math"
	mathrand "math/rand/v2"
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
	// judgeTimeout is how long the search for an order may take.
	judgeTimeout = 5 * time.Second
)

// checkConcurrency runs several callers on the same nodes at once, and checks that their
// history is linearizable. The answers must fit some sequential order that agrees with
// the clock.
func checkConcurrency(ctx context.Context, s *session) {
	s.begin()
	h := &history{node: make([]string, sharedNodes), began: time.Now()}
	for i := range h.node {
		h.node[i] = s.name()
	}
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() { h.call(ctx, s.run.session(s.check), i, s.random(1000+i)) })
	}
	group.Wait()
	for _, id := range h.node {
		s.send(ctx, call{op: s.doc.operation(opDeregister), node: id}, "of a node that others call for")
	}
	if s.reason() != nil {
		return
	}
	model := registryModel(s.shortestInterval() < judgeTimeout)
	result, info := porcupine.CheckOperationsVerbose(model, h.operations, judgeTimeout)
	if result == porcupine.Illegal {
		s.begin()
		got := "none does" + s.draw(model, info)
		s.find(Nodes, s.doc.operation(opList), "order of calls made at once", "one that explains all answers", got)
	}
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

// call makes the calls of one caller.
func (h *history) call(ctx context.Context, s *session, caller int, chance *mathrand.Rand) {
	for i := range callerCalls {
		node := chance.IntN(sharedNodes)
		d := deed{node: node}
		c := call{node: h.node[node]}
		statuses := []int{http.StatusNotFound}
		switch n := chance.IntN(10); {
		case n < 3:
			d.op, d.record = opRegister, fmt.Sprintf("%d-%d", caller, i)
			s.remember(c.node)
			c.body, statuses = encode(recordOf(c.node, d.record)), nil
		case n < 6:
			d.op, c.body = opHeartbeat, encode(heartbeatOf(beats, nil))
		case n < 7:
			d.op = opDeregister
		default:
			h.look(ctx, s, caller)
			continue
		}
		c.op = s.doc.operation(d.op)
		s.begin()
		began := h.now()
		a := s.expect(ctx, c, "of a call made at once with others", append(statuses, c.op.success())...)
		seen, ended := sight{}, int64(math.MaxInt64) // it may be done at any time
		if a != nil {
			seen, ended = sight{known: true, status: a.status}, h.now()
		}
		if a != nil && d.op == opRegister {
			s.echoes(a, c.node)
		}
		h.add(porcupine.Operation{ClientId: caller, Input: d, Output: seen, Call: began, Return: ended})
	}
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
		at := slices.IndexFunc(listing.nodes, func(n nodeapi.Node) bool { return n.NodeID == id })
		if at >= 0 {
			shown := listing.nodes[at]
			seen.listed, seen.state, seen.record = true, shown.Status, recordIn(shown)
		}
		h.add(porcupine.Operation{
			ClientId: caller, Input: deed{op: opList, node: i}, Output: seen, Call: began, Return: ended,
		})
	}
}

// recordOf is a registration that shows in several fields which one it is.
func recordOf(id, record string) nodeapi.RegisterRequest {
	r := registrationOf(comes, id)
	r.MachineID, r.Pools = "machine-"+record, []string{"pool-" + record}
	return r
}

// recordIn returns which registration an entry of the list shows, or all of them.
func recordIn(shown nodeapi.Node) string {
	record := ""
	if len(shown.Pools) == 1 {
		record = strings.TrimPrefix(shown.Pools[0], "pool-")
	}
	if machine := strings.TrimPrefix(shown.MachineID, "machine-"); machine != record {
		return "a mixture of " + strconv.Quote(machine) + " and " + strconv.Quote(record)
	}
	return record
}
