package journal

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	maxContent   = 256 // characters
	contentPools = 3   // as many pools are in it
	separator    = " · "
)

// content describes what a heartbeat or a registration says, or what a refusal objects to. A body
// that breaks the contract is described as far as it decodes.
func (r *record) content() string {
	var text string
	switch {
	case r.status >= http.StatusBadRequest:
		text = r.objection()
	case r.operation == control.OperationHeartbeatNode:
		text = some(*reported(r.bytes(partRequestBody)), poolWords)
	case r.operation == control.OperationRegisterNode:
		var node nodeapi.RegisterRequest
		_ = exactjson.Unmarshal(whole(r.bytes(partRequestBody)), &node)
		text = some(node.Pools, func(id nodeapi.PoolID) string { return string(id) })
		if gpus := node.Capabilities.GPUCount; gpus > 0 {
			text = strings.TrimSuffix(plural.Count(gpus, "GPU")+separator+text, separator)
		}
	}
	return foreign.Cut(foreign.Line(text), maxContent)
}

// objection returns the first thing that a refusal objects to, and how many more there are.
func (r *record) objection() string {
	problem, wrong := r.problem()
	if len(wrong) == 0 {
		return problem.Detail
	}
	text := cmp.Or(wrong[0].Pointer, "the body") + " " + wrong[0].Detail
	if more := len(wrong) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

func poolWords(pool nodeapi.PoolStatus) string {
	state := "not ready"
	switch {
	case optional.Or(pool.Draining, false):
		state = "draining"
	case pool.Ready:
		state = "ready"
	}
	slots := plural.Count(pool.SlotsFree, "slot")
	if pool.SlotsTotal != nil {
		slots = fmt.Sprintf("%d of %s", pool.SlotsFree, plural.Count(*pool.SlotsTotal, "slot"))
	}
	return fmt.Sprintf("%s %s, %s free", pool.PoolID, state, slots)
}

// some describes the first of several things, and counts the others.
func some[T any](all []T, describe func(T) string) string {
	var parts []string
	for _, each := range all[:min(len(all), contentPools)] {
		parts = append(parts, describe(each))
	}
	if more := len(all) - contentPools; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, separator)
}
