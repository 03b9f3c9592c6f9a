package controls

import (
	"context"
	"runtime/debug"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// GetOverview sums up the mock.
func (o operations) GetOverview(
	context.Context, controlapi.GetOverviewRequestObject,
) (controlapi.GetOverviewResponseObject, error) {
	totals := o.Cluster.Totals()
	return controlapi.GetOverview200JSONResponse{
		Version:          version(),
		StartedAtMs:      o.started.Now.UnixMilli(),
		Clock:            o.clockState(),
		Settings:         settingsView(o.Settings.Load()),
		Nodes:            countsView(totals.Nodes),
		PoolsAvailable:   int64(totals.PoolsAvailable),
		Journal:          o.Journal.Counts(),
		Drift:            int64(len(o.Drift.Report().Entries)),
		RefusedInService: int64(len(o.Refused.Report().Entries)),
		Faults:           o.Faults.Enabled(),
		Upstream:         o.upstreamView(),
	}, nil
}

func countsView(nodes map[nodeapi.NodeStatus]int) control.NodeCounts {
	view := control.NodeCounts{
		Registering: int64(nodes[nodeapi.NodeStatusRegistering]),
		Online:      int64(nodes[nodeapi.NodeStatusOnline]),
		Draining:    int64(nodes[nodeapi.NodeStatusDraining]),
		Offline:     int64(nodes[nodeapi.NodeStatusOffline]),
		Failed:      int64(nodes[nodeapi.NodeStatusFailed]),
	}
	view.Total = view.Registering + view.Online + view.Draining + view.Offline + view.Failed
	return view
}

// version returns the version of the program, as far as its build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Reset makes everything as it was at the start. It restores the rules first, then empties what
// requests add to: one in flight then adds only what the restored rules allow.
func (o operations) Reset(
	ctx context.Context, _ controlapi.ResetRequestObject,
) (controlapi.ResetResponseObject, error) {
	if err := o.resetClock(); err != nil {
		return nil, err
	}
	_, _ = o.Settings.Change(func(next *settings.Settings) error { // fails only if the edit does
		*next = o.start
		return nil
	})
	o.Faults.Reset()
	o.Cluster.Clear()
	if o.Watch != nil {
		o.Watch.Clear() // first, since a comparison under way adds to the drift
	}
	o.Drift.Clear()
	o.Refused.Clear()
	o.Answers.Clear()
	o.Journal.Clear()
	o.note(ctx, "reset")
	return controlapi.Reset204Response{}, nil
}
