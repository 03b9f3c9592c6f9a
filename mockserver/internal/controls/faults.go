package controls

import (
	"context"
	"errors"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
)

// ReadFaults answers with all faults.
func (o operations) ReadFaults(
	context.Context, controlapi.ReadFaultsRequestObject,
) (controlapi.ReadFaultsResponseObject, error) {
	return controlapi.ReadFaults200JSONResponse{Faults: o.Faults.List()}, nil
}

// ReplaceFaults replaces all faults but the presets.
func (o operations) ReplaceFaults(
	ctx context.Context, r controlapi.ReplaceFaultsRequestObject,
) (controlapi.ReplaceFaultsResponseObject, error) {
	if err := o.Faults.Replace(r.Body.Faults); err != nil {
		return nil, faultProblem(err)
	}
	o.note(ctx, "faults replaced by %d", len(r.Body.Faults))
	return controlapi.ReplaceFaults200JSONResponse{Faults: o.Faults.List()}, nil
}

// PutFault adds a fault or replaces it.
func (o operations) PutFault(
	ctx context.Context, r controlapi.PutFaultRequestObject,
) (controlapi.PutFaultResponseObject, error) {
	state, err := o.Faults.Put(r.Name, *r.Body)
	if err != nil {
		return nil, faultProblem(err)
	}
	o.note(ctx, "fault %s defined, %s", r.Name, onOff(state.Enabled))
	return controlapi.PutFault200JSONResponse(state), nil
}

// SwitchFault switches a fault on or off.
func (o operations) SwitchFault(
	ctx context.Context, r controlapi.SwitchFaultRequestObject,
) (controlapi.SwitchFaultResponseObject, error) {
	state, known := o.Faults.Switch(r.Name, r.Body.Enabled)
	if !known {
		return nil, unknownFault(r.Name)
	}
	o.note(ctx, "fault %s %s", r.Name, onOff(state.Enabled))
	return controlapi.SwitchFault200JSONResponse(state), nil
}

// DeleteFault removes a fault, or makes a preset what it was.
func (o operations) DeleteFault(
	ctx context.Context, r controlapi.DeleteFaultRequestObject,
) (controlapi.DeleteFaultResponseObject, error) {
	if !o.Faults.Delete(r.Name) {
		return nil, unknownFault(r.Name)
	}
	o.note(ctx, "fault %s removed", r.Name)
	return controlapi.DeleteFault204Response{}, nil
}

// faultProblem returns the problem of faults that keep the document but make no sense.
func faultProblem(err error) error {
	if invalid, ok := errors.AsType[faults.Invalid](err); ok {
		return exchange.ViolationProblem(invalid...)
	}
	return err
}

func unknownFault(name control.FaultName) error {
	return exchange.NewProblem(exchange.CodeUnknownFault, "there is no fault %q", name)
}
