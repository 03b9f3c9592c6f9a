package mockserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// full returns the problem of a request that was refused for what is on record already.
func (s *Server) full(ctx context.Context, refused error) error {
	detail := "what is known of nodes takes as much memory as this orchestratord has for it: say less, or have other nodes deregister"
	if errors.Is(refused, registry.ErrTooManyNodes) {
		detail = "as many nodes are registered as this orchestratord takes: another one must deregister first"
	}
	return newProblem(nodeapi.ProblemCodeUnavailable, "%s", detail).
		with("Retry-After", exchangeIn(ctx).settings.retryAfter())
}

const (
	// largeBody is the size in bytes from which a body needs one of a few places: it takes
	// many times its size in memory. A usual body is far smaller.
	largeBody = keptBuffer
	// largeBodies is how many large bodies are read and handled at once.
	largeBodies = 8
	// bodyTimeout is how long a large body waits for its place, and may then take to arrive.
	bodyTimeout = 5 * time.Second
	// closeLooks is how many bodies of any size are held to the document at once that do not
	// plainly keep it. What the validator says of a hostile one takes a thousand times its size.
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

// makeRoom has a large body wait until there is room for it, which lasts as long as the
// request. A sender that is slow has its connection cut before others give up waiting.
func (s *Server) makeRoom(x *exchange, r *http.Request) error {
	if x.large {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), bodyTimeout)
	defer cancel()
	if x.large = s.largeBodies.take(ctx); x.large {
		_ = http.NewResponseController(x.client).SetReadDeadline(time.Now().Add(bodyTimeout)) // there may be no connection
		return nil
	}
	return newProblem(nodeapi.ProblemCodeUnavailable,
		"%d bodies of more than %d bytes are being read, as many as this orchestratord has memory for", largeBodies, largeBody).
		with("Retry-After", x.settings.retryAfter())
}

// releaseRoom gives back what makeRoom took.
func (s *Server) releaseRoom(x *exchange) {
	if x.large {
		x.large = false
		s.largeBodies.leave()
	}
}
