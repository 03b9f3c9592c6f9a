package cluster

import (
	"cmp"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// View returns a node as clients see it.
func View(node registry.Node) nodeapi.Node {
	view := nodeapi.Node{
		NodeID:         node.Registration.NodeID,
		MachineID:      cmp.Or(node.Registration.MachineID, unknownMachine),
		Address:        cmp.Or(node.Registration.Address, unknownAddress),
		Pools:          node.Registration.Pools,
		Capabilities:   *cmp.Or(node.Stated, All(node.Registration.Capabilities)),
		Status:         node.Status,
		RegisteredAtMs: node.RegisteredAt.UnixMilli(),
		Version:        node.Registration.Version,
	}
	if view.Pools == nil {
		view.Pools = []nodeapi.PoolID{}
	}
	if !node.LastHeartbeat.IsZero() {
		view.LastHeartbeatMs = new(node.LastHeartbeat.UnixMilli())
	}
	return view
}

// All returns capabilities as a node states them that leaves none out.
func All(has nodeapi.NodeCapabilities) *nodeapi.ReportedCapabilities {
	return &nodeapi.ReportedCapabilities{
		GPUCount:      &has.GPUCount,
		TotalVRAMMB:   &has.TotalVRAMMB,
		CUDAVersion:   &has.CUDAVersion,
		Gpus:          has.Gpus,
		CPUCores:      has.CPUCores,
		RAMTotalBytes: has.RAMTotalBytes,
	}
}

// What a list says of a node that registered without them, as lenient validation lets it: a
// node in a list must have both.
const (
	unknownMachine = "unknown"
	unknownAddress = "http://unknown.invalid"
)

// Invalid reports whether a node breaks the document, as one may that registered while
// validation was off. It is listed as it is.
func Invalid(node registry.Node) bool {
	beat := nodeapi.HeartbeatRequest{Pools: append([]nodeapi.PoolStatus{}, node.Pools...)}
	return node.Registration.Validate() != nil || beat.Validate() != nil
}
