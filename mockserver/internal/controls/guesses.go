package controls

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	freeGuesses   = 10              // wrong control tokens that an address may send before it has to wait
	guessPause    = time.Second     // between those that follow
	longestWait   = 5 * time.Second // for the turn of one
	guessersKnown = 1000            // addresses that are remembered
)

// guesses slows down whoever guesses the control token. An address that has sent wrong tokens waits
// before the next one is checked. A right token waits as well, or the delay would show which is wrong.
type guesses struct {
	mu   sync.Mutex
	paid map[string]time.Time // by address, until when its guesses are paid for
}

// turn waits until a token from an address may be checked. Call right if the token is valid. The error
// is a Problem: the wait would be too long, or ctx has ended.
func (g *guesses) turn(ctx context.Context, address string) (right func(), _ error) {
	wait := g.queue(address)
	if wait > longestWait {
		seconds := strconv.Itoa(int(wait / time.Second))
		return nil, exchange.NewProblem(nodeapi.ProblemCodeThrottled,
			"too many wrong control tokens, try again in %s s", seconds).
			With("Retry-After", seconds)
	}
	select {
	case <-time.After(wait):
		return func() { g.pay(address, -guessPause) }, nil
	case <-ctx.Done():
		return nil, exchange.NewProblem(nodeapi.ProblemCodeThrottled, "the client has gone").With("Retry-After", "1")
	}
}

// queue returns how long a token from an address has to wait. Unless that is too long, the token
// counts as wrong until turn knows better.
func (g *guesses) queue(address string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := time.Until(g.paid[address].Add(-(freeGuesses - 1) * guessPause))
	if wait <= longestWait {
		g.add(address, guessPause)
	}
	return max(wait, 0)
}

func (g *guesses) pay(address string, by time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.add(address, by)
}

func (g *guesses) add(address string, by time.Duration) {
	now := time.Now()
	paid := g.paid[address]
	if paid.Before(now) {
		paid = now
	}
	if g.paid == nil || len(g.paid) >= guessersKnown {
		g.paid = map[string]time.Time{}
	}
	if g.paid[address] = paid.Add(by); by < 0 && !g.paid[address].After(now) {
		delete(g.paid, address)
	}
}

// addressOf returns the address that a request comes from, without the port.
func addressOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
