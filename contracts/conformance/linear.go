package conformance

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/anishathalye/porcupine"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// place is what the registry knows of one node at one moment.
type place struct {
	registered, beaten bool
	record             string
	unknown            bool // whether the history begins in the middle, so that the state is not known
}

// registryModel is a model of the registry that handles calls one by one. If it is hasty,
// nodes may go offline between two calls.
func registryModel(hasty bool) porcupine.Model {
	return porcupine.Model{
		Partition: byNode,
		Init:      func() any { return place{} },
		Step: func(state, input, output any) (bool, any) {
			return state.(place).step(input.(deed), output.(sight), hasty)
		},
		DescribeOperation: func(input, output any) string { return describe(input.(deed), output.(sight)) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

// byNode splits a history by node, since calls for one node do not affect another.
func byNode(history []porcupine.Operation) [][]porcupine.Operation {
	nodes := make([][]porcupine.Operation, sharedNodes)
	for _, operation := range history {
		node := operation.Input.(deed).node
		nodes[node] = append(nodes[node], operation)
	}
	return nodes
}

// step reports whether the model allows this result of a call, and returns the state
// after it.
func (p place) step(d deed, seen sight, hasty bool) (bool, place) {
	switch {
	case p.unknown && d.op == opDeregister:
		return true, place{}
	case p.unknown && d.op != opRegister:
		return true, p
	}
	switch d.op {
	case opRegister:
		return !seen.known || seen.status == http.StatusOK, place{registered: true, record: d.record}
	case opHeartbeat:
		after := place{registered: p.registered, beaten: p.registered, record: p.record}
		return !seen.known || (seen.status == http.StatusOK) == p.registered, after
	case opDeregister:
		return !seen.known || (seen.status == http.StatusNoContent) == p.registered, place{}
	}
	return p.shows(seen, hasty), p
}

// shows reports whether the model allows this entry of the node in the list.
func (p place) shows(seen sight, hasty bool) bool {
	switch {
	case !seen.listed:
		return !p.registered || !p.beaten || hasty
	case !p.registered || seen.record != p.record:
		return false
	case hasty && seen.state == nodeapi.NodeStatusOffline:
		return true
	}
	return (seen.state == nodeapi.NodeStatusOnline) == p.beaten
}

// describe returns a call and its result in words.
func describe(d deed, seen sight) string {
	switch {
	case !seen.known:
		return d.op + " " + d.record + ": no answer"
	case d.op == opList && seen.listed:
		return fmt.Sprintf("list: %s, %s", seen.record, seen.state)
	case d.op == opList:
		return "list: nothing"
	}
	return strings.TrimSpace(d.op+" "+d.record) + fmt.Sprintf(": %d", seen.status)
}
