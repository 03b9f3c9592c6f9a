package nodes

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	// largeBody is the size in bytes from which a body needs one of a few places: it takes
	// many times its size in memory. A usual body is far smaller.
	largeBody = exchange.KeptBuffer
	// largeBodies is how many large bodies are read and handled at once.
	largeBodies = 8
	// bodyTimeout is how long a large body waits for its place, and may then take to arrive.
	bodyTimeout = 5 * time.Second
	// closeLooks is how many bodies go through the validator at once: those that the fast path does not
	// take. What the validator says of a hostile body takes a thousand times its size.
	closeLooks = 4
)

// places are slots: a few callers have one each, others wait.
type places chan struct{}

// take waits for a place until ctx ends, and reports whether there is one.
func (p places) take(ctx context.Context) bool {
	select {
	case p <- struct{}{}:
		return true
	default:
	}
	select {
	case p <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p places) leave() { <-p }

// roomyReader reads a body, and makes room for it when it turns out to be a large one.
type roomyReader struct {
	io.Reader
	makeRoom func() error
	read     int
}

func (r *roomyReader) Read(buffer []byte) (int, error) {
	if r.read >= largeBody {
		if err := r.makeRoom(); err != nil {
			return 0, err
		}
	}
	n, err := r.Reader.Read(buffer)
	r.read += n
	return n, err
}

// roomy returns a reader of a body which may be large.
func (a *API) roomy(x *exchange.Exchange, body io.Reader) io.Reader {
	return &roomyReader{Reader: body, makeRoom: func() error { return a.makeRoom(x) }}
}

// makeRoom has a large body wait until there is room for it, which lasts as long as the
// request. A sender that is slow has its connection cut before others give up waiting.
func (a *API) makeRoom(x *exchange.Exchange) error {
	if x.Large {
		return nil
	}
	ctx, cancel := context.WithTimeout(x.Request.Context(), bodyTimeout)
	defer cancel()
	if x.Large = a.largeBodies.take(ctx); x.Large {
		// there may be no connection
		_ = http.NewResponseController(x.Client).SetReadDeadline(time.Now().Add(bodyTimeout))
		return nil
	}
	return exchange.NewProblem(nodeapi.ProblemCodeUnavailable,
		"%d bodies of more than %d bytes are being read, as many as this orchestratord has memory for",
		largeBodies, largeBody).
		With("Retry-After", retryAfter(x))
}

// releaseRoom gives back what makeRoom took.
func (a *API) releaseRoom(x *exchange.Exchange) {
	if x.Large {
		x.Large = false
		a.largeBodies.leave()
	}
}
