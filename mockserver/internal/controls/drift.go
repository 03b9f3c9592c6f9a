package controls

import (
	"context"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
)

// ReadDrift answers with how requests departed from the contract of the node API, and with what
// the orchestratord in service would have refused.
func (o operations) ReadDrift(
	context.Context, controlapi.ReadDriftRequestObject,
) (controlapi.ReadDriftResponseObject, error) {
	requests, refused := listView(o.Drift), listView(o.Refused)
	view := controlapi.ReadDrift200JSONResponse{
		Departures: requests.Departures, Dropped: requests.Dropped, RefusedInService: refused,
	}
	if o.Watch != nil {
		view.Upstream = new(listView(o.Answers))
	}
	return view, nil
}

// ClearDrift forgets it.
func (o operations) ClearDrift(
	ctx context.Context, _ controlapi.ClearDriftRequestObject,
) (controlapi.ClearDriftResponseObject, error) {
	o.Drift.Clear()
	o.Refused.Clear()
	o.Answers.Clear()
	o.note(ctx, "drift forgotten")
	return controlapi.ClearDrift204Response{}, nil
}

func listView(record *drift.Record) control.DriftList {
	report := record.Report()
	view := control.DriftList{
		Departures: make([]control.DriftEntry, len(report.Entries)),
		Dropped:    int64(report.Dropped),
	}
	for i, entry := range report.Entries {
		view.Departures[i] = control.DriftEntry{
			Departure: departureView(entry.Departure),
			Requests:  int64(entry.Requests),
			First:     sightingView(entry.First),
			Last:      sightingView(entry.Last),
		}
	}
	return view
}

func departureView(d drift.Departure) control.Departure {
	return control.Departure{
		Operation: control.Operation(d.Operation),
		Status:    optional.Stated(int32(d.Status)),
		Pointer:   d.Pointer,
		Kind:      d.Kind,
		Expected:  d.Expected,
		Got:       d.Got,
	}
}

func sightingView(s drift.Sighting) control.Sighting {
	return control.Sighting{AtMs: s.At.UnixMilli(), NodeID: optional.Stated(s.NodeID)}
}
