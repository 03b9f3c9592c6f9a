package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/pkg/capabilities"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// pool stands for an engine. It has slots, each for one piece of work.
type pool struct {
	id       string
	slots    int
	freeVRAM atomic.Int64

	mu       sync.Mutex
	busy     int
	draining bool
	idle     chan struct{} // closed when the pool drains and has no work
}

func newPool(id string, slots int) *pool {
	return &pool{id: id, slots: slots, idle: make(chan struct{})}
}

// status answers at once: what takes time, as asking a driver does, goes on elsewhere.
func (p *pool) status(context.Context) ([]registration.PoolStatus, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []registration.PoolStatus{{
		PoolID:        p.id,
		Ready:         !p.draining,
		Draining:      p.draining,
		SlotsFree:     int32(p.slots - p.busy),
		SlotsTotal:    int32(p.slots),
		VRAMFreeBytes: p.freeVRAM.Load(),
	}}, nil
}

// watchMemory keeps the free GPU memory up to date until ctx ends.
func (p *pool) watchMemory(ctx context.Context, machine *capabilities.Machine) {
	every := time.NewTicker(5 * time.Second)
	defer every.Stop()
	for ctx.Err() == nil {
		if err := p.readMemory(ctx, machine); err != nil && ctx.Err() == nil {
			slog.Warn("the free GPU memory could not be read", "error", err)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
		}
	}
}

// readMemory reads the free GPU memory. While none of it can be read, the pool reports what it last was.
func (p *pool) readMemory(ctx context.Context, machine *capabilities.Machine) error {
	ctx, cancel := context.WithTimeout(ctx, driverTimeout)
	defer cancel()
	free, err := machine.FreeVRAM(ctx)
	if err == nil || free > 0 {
		p.freeVRAM.Store(free)
	}
	return err
}

// enter takes a slot, and reports whether there was a free one.
func (p *pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining || p.busy == p.slots {
		return false
	}
	p.busy++
	return true
}

func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	if p.draining && p.busy == 0 {
		close(p.idle)
	}
}

// drain lets no new work in. The channel that it returns is closed when all work is done.
func (p *pool) drain() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.draining && p.busy == 0 {
		close(p.idle)
	}
	p.draining = true
	return p.idle
}

// work echoes the prompt, which is all that this engine can do. It calls changed when a slot is
// taken or free again, so that orchestratord need not wait for the next heartbeat.
func (p *pool) work(changed func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.enter() {
			http.Error(w, "no slot is free", http.StatusServiceUnavailable)
			return
		}
		changed()
		defer changed()
		defer p.leave()
		prompt, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Write(prompt)
	}
}
