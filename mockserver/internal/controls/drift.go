package controls

import (
	"context"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
)

// ReadDrift answers with how requests departed from the contract of the node API.
func (o operations) ReadDrift(context.Context, controlapi.ReadDriftRequestObject) (controlapi.ReadDriftResponseObject, error) {
	report := o.Drift.Report()
	told := control.DriftReport{Departures: make([]control.DriftEntry, len(report.Entries)), Dropped: int64(report.Dropped)}
	for i, entry := range report.Entries {
		told.Departures[i] = control.DriftEntry{
			Departure: toldDeparture(entry.Departure),
			Requests:  int64(entry.Requests),
			First:     toldSighting(entry.First),
			Last:      toldSighting(entry.Last),
		}
	}
	return controlapi.ReadDrift200JSONResponse(told), nil
}

// ClearDrift forgets it.
func (o operations) ClearDrift(ctx context.Context, _ controlapi.ClearDriftRequestObject) (controlapi.ClearDriftResponseObject, error) {
	o.Drift.Clear()
	o.note(ctx, "drift forgotten")
	return controlapi.ClearDrift204Response{}, nil
}

func toldDeparture(d drift.Departure) control.Departure {
	return control.Departure{
		Operation: control.Operation(d.Operation),
		Pointer:   d.Pointer,
		Kind:      d.Kind,
		Expected:  d.Expected,
		Got:       d.Got,
	}
}

func toldSighting(s drift.Sighting) control.Sighting {
	told := control.Sighting{AtMs: s.At.UnixMilli()}
	if s.NodeID != "" {
		told.NodeID = &s.NodeID
	}
	return told
}
