package conformance_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// gate lets no more than a number of connections through at once, as a proxy does.
type gate struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	dials atomic.Int64

	mu         sync.Mutex
	open, most int
}

const gateWidth = 50 // as many nodes as have to be served at once (CLOUD-11020)

func (g *gate) pass(ctx context.Context, network, address string) (net.Conn, error) {
	if g.dials.Add(1)%2 == 0 { // by when the calls on another connection may be over
		time.Sleep(10 * time.Millisecond)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.most = max(g.most, g.open+1)
	if g.open == gateWidth {
		return nil, errors.New("too many connections")
	}
	conn, err := g.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	g.open++
	return &passed{Conn: conn, gate: g}, nil
}

// mostWanted returns how many connections were wanted at once. One may still be on its way, for a call
// that another connection has served meanwhile.
func (g *gate) mostWanted() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most
}

// passed is a connection that a gate has let through.
type passed struct {
	net.Conn
	gate *gate
	once sync.Once
}

func (p *passed) Close() error {
	p.once.Do(func() {
		p.gate.mu.Lock()
		defer p.gate.mu.Unlock()
		p.gate.open--
	})
	return p.Conn.Close()
}

// TestFiftyConnections shows that fifty nodes at once have a connection each, and that the run needs
// no other.
func TestFiftyConnections(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mock := newMock(t)
		g := &gate{dial: memnet.Serve(t, mock)}
		report, err := conformance.Run(t.Context(), conformance.Options{
			URL: memnet.URL, Dial: g.pass, Only: []string{"transport", "concurrency"},
		})
		if said := said(report, err); err != nil || !report.Conforms() {
			t.Error(said)
		}
		if most := g.mostWanted(); most != gateWidth {
			t.Errorf("%d connections were wanted at once, not %d", most, gateWidth)
		}
	})
}
