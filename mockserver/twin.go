package mockserver

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// noteTwin warns of a registration that takes the place of a live node on another machine or
// address, and notes it in the journal. If two nodes share an id, the heartbeats of one keep
// the record of the other online.
func (s *Server) noteTwin(ctx context.Context, was, now registry.Node) {
	before, is, x := was.Registration, now.Registration, exchangeIn(ctx)
	live := was.Status == nodeapi.NodeStatusOnline || was.Status == nodeapi.NodeStatusDraining
	fresh := now.RegisteredAt.Before(was.Heard.Add(x.settings.nodeTimeout))
	if !live || !fresh || before.MachineID == is.MachineID && before.Address == is.Address {
		return
	}
	x.remark = fmt.Sprintf("a live node had this id: machine %s at %s", before.MachineID, before.Address)
	s.log.LogAttrs(ctx, slog.LevelWarn, "another machine or address registers under the id of a live node",
		slog.String("node_id", is.NodeID),
		slog.String("machine_id", is.MachineID),
		slog.String("address", is.Address),
		slog.String("live_machine_id", before.MachineID),
		slog.String("live_address", before.Address),
		correlationAttr(x.correlationID))
}
