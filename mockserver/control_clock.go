package mockserver

import (
	"context"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// ReadClock answers with what the clock shows.
func (c controls) ReadClock(context.Context, controlapi.ReadClockRequestObject) (controlapi.ReadClockResponseObject, error) {
	return controlapi.ReadClock200JSONResponse(c.clockState()), nil
}

// ChangeClock pauses the clock, lets it run on, or sets its speed.
func (c controls) ChangeClock(ctx context.Context, r controlapi.ChangeClockRequestObject) (controlapi.ChangeClockResponseObject, error) {
	if speed := r.Body.Speed; speed != nil {
		if err := c.Clock().SetSpeed(*speed); err != nil {
			return nil, err
		}
		c.note(ctx, "clock set to speed %g", *speed)
	}
	switch running := r.Body.Running; {
	case running == nil:
	case *running:
		c.clock.Resume()
		c.note(ctx, "clock resumed")
	default:
		c.clock.Pause()
		c.note(ctx, "clock paused")
	}
	return controlapi.ChangeClock200JSONResponse(c.clockState()), nil
}

// AdvanceClock puts the clock forward, and returns when everything has happened that
// falls due on the way.
func (c controls) AdvanceClock(ctx context.Context, r controlapi.AdvanceClockRequestObject) (controlapi.AdvanceClockResponseObject, error) {
	by := milliseconds(r.Body.ByMs)
	if err := c.Clock().Reaches(by); err != nil {
		return nil, violationProblem([]nodeapi.Violation{{Pointer: "/by_ms", Detail: err.Error()}})
	}
	c.note(ctx, "clock put forward by %s", by)
	if err := c.clock.Advance(by); err != nil {
		return nil, err
	}
	return controlapi.AdvanceClock200JSONResponse(c.clockState()), nil
}

// resetClock lets the clock run as it did at the start. It is not put back: clients have seen
// its times already.
func (c controls) resetClock() error {
	if c.started.Running {
		c.clock.Resume()
	} else {
		c.clock.Pause()
	}
	return c.clock.SetSpeed(c.started.Speed)
}

func (c controls) clockState() control.Clock {
	state := c.clock.State()
	return control.Clock{NowMs: state.Now.UnixMilli(), Running: state.Running, Speed: state.Speed}
}

// clockLimit is the last time that the document of the control API can state.
func clockLimit() time.Time {
	return time.UnixMilli(int64(*spec.Control().Schema("Milliseconds").Max))
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
