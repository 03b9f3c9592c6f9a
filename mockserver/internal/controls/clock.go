package controls

import (
	"context"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// ReadClock answers with what the clock shows.
func (o operations) ReadClock(
	context.Context, controlapi.ReadClockRequestObject,
) (controlapi.ReadClockResponseObject, error) {
	return controlapi.ReadClock200JSONResponse(o.clockState()), nil
}

// ChangeClock pauses the clock, lets it run on, or sets its speed.
func (o operations) ChangeClock(
	ctx context.Context, r controlapi.ChangeClockRequestObject,
) (controlapi.ChangeClockResponseObject, error) {
	if err := o.refuseInFront("nodes do not time out by this clock"); err != nil {
		return nil, err
	}
	if speed := r.Body.Speed; speed != nil {
		if err := o.limitedClock().SetSpeed(*speed); err != nil {
			return nil, err
		}
		o.note(ctx, "clock set to speed %g", *speed)
	}
	switch running := r.Body.Running; {
	case running == nil:
	case *running:
		o.Clock.Resume()
		o.note(ctx, "clock resumed")
	default:
		o.Clock.Pause()
		o.note(ctx, "clock paused")
	}
	return controlapi.ChangeClock200JSONResponse(o.clockState()), nil
}

// AdvanceClock puts the clock forward, and returns when everything has happened that
// falls due on the way.
func (o operations) AdvanceClock(
	ctx context.Context, r controlapi.AdvanceClockRequestObject,
) (controlapi.AdvanceClockResponseObject, error) {
	if err := o.refuseInFront("nodes do not time out by this clock"); err != nil {
		return nil, err
	}
	by := milliseconds(r.Body.ByMs)
	if err := o.limitedClock().Reaches(by); err != nil {
		return nil, exchange.ViolationProblem(nodeapi.Violation{Pointer: "/by_ms", Detail: err.Error()})
	}
	o.note(ctx, "clock put forward by %s", by)
	if err := o.Clock.Advance(by); err != nil {
		return nil, err
	}
	return controlapi.AdvanceClock200JSONResponse(o.clockState()), nil
}

// resetClock lets the clock run as it did at the start. It is not put back: clients have seen
// its times already.
func (o operations) resetClock() error {
	if o.started.Running {
		o.Clock.Resume()
	} else {
		o.Clock.Pause()
	}
	return o.Clock.SetSpeed(o.started.Speed)
}

// limitedClock returns the clock, which cannot be put beyond the last time that an answer can
// state. It is limited when it is changed, not at the start, since the document takes long to read.
func (o operations) limitedClock() *clock.Clock {
	o.Clock.Limit(spec.Control().LastTime)
	return o.Clock
}

func (o operations) clockState() control.Clock {
	state := o.Clock.State()
	return control.Clock{NowMs: state.Now.UnixMilli(), Running: state.Running, Speed: state.Speed}
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
