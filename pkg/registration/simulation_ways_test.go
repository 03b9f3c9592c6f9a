package registration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func (l *life) register(ctx context.Context) error {
	l.feed(func(now time.Time) string { l.oracle.registers(now, false); return "" })
	live, end := context.WithCancel(context.Background())
	defer end()
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		l.feed(func(now time.Time) string { l.oracle.abandons(now); return "" })
		end()
	})
	err := l.real.Register(live)
	if !stop() {
		<-ended
	}
	l.feed(func(now time.Time) string {
		if live.Err() == nil && err == nil != (l.oracle.count > 0) {
			return fmt.Sprintf("Register returned %v", err)
		}
		l.oracle.paused = true
		return ""
	})
	if err != nil {
		l.stop()
	}
	return err
}

// runUntil is a Run that is asked to end with ctx.
func (l *life) runUntil(ctx context.Context) {
	live, leave := context.WithCancel(context.Background())
	asked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(asked)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.over || !l.oracle.leaving.IsZero() {
			return
		}
		if l.config.Drain == nil || !l.oracle.landed && l.oracle.count == 0 {
			l.oracle.leaves(time.Now(), l.oracle.shutdown, true)
		} else {
			l.oracle.drains(time.Now())
		}
		leave()
	})
	l.feed(func(now time.Time) string {
		l.oracle.runs(now)
		return ""
	})
	err := l.real.Run(live, l.status)
	if !stop() {
		<-asked
	}
	leave()
	l.feed(func(now time.Time) string { return l.left(now, err) })
}

// beatUntil starts heartbeats, and ends them with ctx.
func (l *life) beatUntil(ctx context.Context) {
	if l.way == "StartHeartbeat twice, Deregister" {
		l.beatFor(ctx, span(l.node.plans, time.Second, 3*time.Minute))
		l.node.sleep(ctx, span(l.node.plans, 0, time.Minute))
	}
	l.beat(context.Background())
	<-ctx.Done()
	time.Sleep(time.Nanosecond) // or chance decides what of this instant goes first, and no seed
	if l.way == "StartHeartbeat, Stop" {
		l.stop()
		return
	}
	limit := l.oracle.shutdown
	until, cancel := context.WithCancel(context.Background())
	if l.node.plans.IntN(3) == 0 {
		limit = min(limit, span(l.node.plans, time.Second, 10*time.Second))
		until, cancel = context.WithTimeout(context.Background(), limit)
	}
	defer cancel()
	l.feed(func(now time.Time) string { l.oracle.leaves(now, limit, true); return "" })
	err := l.real.Deregister(until)
	l.feed(func(now time.Time) string { return l.left(now, err) })
}

// beatFor has heartbeats end with their own context, and the node fall silent.
func (l *life) beatFor(ctx context.Context, d time.Duration) {
	own, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.beat(own)
	done := l.real.Done()
	l.node.sleep(ctx, d)
	l.feed(func(now time.Time) string { l.oracle.fallsSilent(now); return "" })
	cancel()
	<-done
	l.feed(func(now time.Time) string {
		l.settle(now)
		l.spoke, l.state = l.state, registration.StateSilent
		if !l.oracle.paused {
			return "says that its heartbeats have ended, and has one in flight"
		}
		return ""
	})
}

func (l *life) beat(ctx context.Context) {
	l.feed(func(now time.Time) string {
		l.oracle.beats(now)
		l.pools.again()
		l.starts++
		if l.state == registration.StateSilent {
			l.state = l.spoke
		}
		return ""
	})
	if err := l.real.StartHeartbeat(ctx, l.status); err != nil {
		l.node.world.violated(l.node, "StartHeartbeat: %v", err)
	}
}

func (l *life) stop() {
	l.feed(func(now time.Time) string { l.oracle.leaves(now, l.oracle.shutdown, false); return "" })
	_ = l.real.Stop(context.Background())
	l.feed(func(now time.Time) string {
		if now.After(l.oracle.leaving) {
			return fmt.Sprintf("took %v too long to stop", now.Sub(l.oracle.leaving))
		}
		return ""
	})
}

// drain is the program's work that has to be finished.
func (l *life) drain(context.Context) {
	l.mu.Lock()
	l.pools.draining = time.Now().Add(span(l.node.plans, 0, 2*time.Second))
	l.mu.Unlock()
	time.Sleep(span(l.node.plans, 0, 20*time.Second))
	l.feed(func(now time.Time) string { l.oracle.leaves(now, l.oracle.shutdown, true); return "" })
}

// left holds the end of a life to what was promised of it.
func (l *life) left(now time.Time, err error) string {
	o := l.oracle
	switch {
	case o.leaving.IsZero():
		return fmt.Sprintf("ended by itself: %v", err)
	case now.After(o.leaving):
		return fmt.Sprintf("took %v too long to leave", now.Sub(o.leaving))
	case err == nil && o.landed:
		return "says that it has left, and may be on record"
	case o.count == 0 && o.failures > 0 && o.run:
		return "" // it never came to be
	case errors.Is(err, registration.ErrRefused), errors.Is(err, registration.ErrUnauthorized):
	case err != nil && !o.landed && o.flight == nil:
		return fmt.Sprintf("says that it could not leave, and is not on record: %v", err)
	case err != nil && strings.Contains(err.Error(), token):
		return "has a token in its error"
	}
	return ""
}

// tell notifies the node of a change.
func (l *life) tell() {
	l.feed(func(now time.Time) string { l.oracle.notified(now); return "" })
	l.real.Notify()
}

// update changes what the node says of itself.
func (l *life) update(d registration.Description) {
	l.feed(func(now time.Time) string {
		l.described = d
		l.pools.serve(now, d.Pools)
		l.oracle.changes(now)
		return ""
	})
	err := l.real.Update(d)
	l.feed(func(time.Time) string {
		if leaves := !l.oracle.leaving.IsZero(); err != nil && !(leaves && errors.Is(err, registration.ErrStopped)) {
			return fmt.Sprintf("Update: %v", err)
		}
		return ""
	})
}
