package conformance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// tap records the requests that a real node makes. It forwards them to orchestratord, or
// answers them with the examples of the document.
type tap struct {
	doc    *document
	base   string            // of the paths
	onward http.RoundTripper // nil to answer from the document
	calls  *atomic.Int64     // that went onward

	mu     sync.Mutex
	bodies map[string]any // of the requests, by operation
}

// RoundTrip records a request.
func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	op := t.doc.route(r.Method, strings.TrimPrefix(r.URL.Path, t.base))
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(text))
		var body any
		_ = json.Unmarshal(text, &body)
		t.mu.Lock()
		if op != nil {
			t.bodies[op.id] = body
		}
		t.mu.Unlock()
	}
	return t.answer(op, r)
}

func (t *tap) answer(op *operation, r *http.Request) (*http.Response, error) {
	if t.onward != nil {
		t.calls.Add(1)
		return t.onward.RoundTrip(r)
	}
	if op == nil {
		return nil, errors.New("no operation of the document")
	}
	answer := &http.Response{StatusCode: op.success(), Header: http.Header{}, Request: r, Body: http.NoBody}
	if media, content := preferred(op.responses[op.success()].Content); content != nil {
		answer.Header.Set("Content-Type", media)
		answer.Body = io.NopCloser(bytes.NewReader(encode(content.Example)))
	}
	return answer, nil
}

// route returns the operation of a request, nil when it is none.
func (d *document) route(method, path string) *operation {
	for _, op := range d.operations {
		before, after, parameter := strings.Cut(op.path, op.parameter)
		matches := path == op.path
		if parameter && op.parameter != "" {
			matches = strings.HasPrefix(path, before) && strings.HasSuffix(path, after) && path != before
		}
		if op.method == method && matches {
			return op
		}
	}
	return nil
}

// live lets a real node register, send a heartbeat and leave, and returns what it sent. It
// returns the error of the first request that was not accepted.
func (t *tap) live(ctx context.Context, url, id, token string) (map[string]any, error) {
	t.bodies = map[string]any{}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	online := make(chan struct{}, 1)
	node, err := registration.New(registration.Config{
		NodeID: id, MachineID: id, Address: exampleAddress, OrchestratordURL: url, Pools: []string{"pool-0"},
		APIToken: registration.StaticToken(token), HTTPClient: &http.Client{Transport: t},
		Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(e registration.Event) {
			switch e.Type {
			case registration.EventOnline:
				online <- struct{}{}
			case registration.EventFailed, registration.EventForgotten:
				cancel(e.Err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	status := func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{PoolID: "pool-0"}}, nil
	}
	if err := node.Register(ctx); err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	if err := node.StartHeartbeat(ctx, status); err != nil {
		return nil, err
	}
	node.Notify()
	select {
	case <-online:
		return t.bodies, node.Deregister(ctx)
	case <-ctx.Done():
		_ = node.Stop(context.WithoutCancel(ctx))
		return nil, context.Cause(ctx)
	}
}

// nodeSends returns the smallest body that a node sends, by operation. The first call takes
// up to a second.
func (r *run) nodeSends(ctx context.Context) (map[string]any, error) {
	if r.sends != nil {
		return r.sends, nil
	}
	doc, err := compiledIn()
	if err != nil {
		return nil, err
	}
	t := &tap{doc: doc}
	sends, err := t.live(ctx, "http://localhost", "node", "")
	if err != nil {
		return nil, err
	}
	r.sends = sends
	return sends, nil
}

// exampleAddress is in the address block for documentation (RFC 5737).
const exampleAddress = "http://192.0.2.10:9200"
