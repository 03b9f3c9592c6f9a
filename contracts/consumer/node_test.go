//go:build pact

package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// patience is how long something that is about to happen may take, on the busiest machine.
const patience = 2 * time.Minute

// node is the real client, and what it says of itself.
type node struct {
	*registration.Node
	events <-chan registration.Event
	ctx    context.Context // ends when it makes a request that the pact lacks, which it would try again
}

// newNode returns a node whose first heartbeat follows its registration at once.
func newNode(t *testing.T, url string, edits ...func(*registration.Config)) node {
	t.Helper()
	timely, stop := context.WithTimeout(t.Context(), patience)
	ctx, end := context.WithCancelCause(timely)
	events := make(chan registration.Event, 64)
	config := registration.Config{
		NodeID:           nodeID,
		MachineID:        machineID,
		Address:          address,
		OrchestratordURL: url,
		Pools:            []string{"pool-0"},
		Capabilities:     registration.Capabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		APIToken:         registration.StaticToken(token),
		NodeTimeout:      2 * patience, // so that no request has to be quick
		RequestTimeout:   patience,
		HTTPClient:       &http.Client{Transport: watchful{registration.NewTransport(2 * patience), end}},
		Jitter:           func() float64 { return 0 },
		OnEvent:          func(e registration.Event) { events <- e },
		Logger:           slog.New(slog.DiscardHandler),
	}
	for _, edit := range edits {
		edit(&config)
	}
	n, err := registration.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = n.Stop(context.Background())
	})
	return node{Node: n, events: events, ctx: ctx}
}

// watchful notices the answers of Pact to requests that the pact lacks.
type watchful struct {
	http.RoundTripper
	end context.CancelCauseFunc
}

func (w watchful) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := w.RoundTripper.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusInternalServerError && response.Header.Get("X-Pact") != "" {
		w.end(fmt.Errorf("%s %s is not as the pact has it: %s", request.Method, request.URL.Path,
			response.Header.Get("X-Pact")))
	}
	return response, err
}

// register registers the node, unless it goes wrong.
func (n node) register() error {
	if err := n.Register(n.ctx); err != nil {
		return errors.Join(context.Cause(n.ctx), err)
	}
	return nil
}

// await returns the next event, which has to be of a type.
func (n node) await(t *testing.T, want registration.EventType) registration.Event {
	t.Helper()
	select {
	case e := <-n.events:
		if e.Type != want {
			t.Fatalf("the node is %s, not %s: %v", e.Type, want, errors.Join(context.Cause(n.ctx), e.Err))
		}
		return e
	case <-n.ctx.Done():
		t.Fatalf("the node is not %s: %v", want, context.Cause(n.ctx))
	}
	return registration.Event{}
}

// refusedBy fails unless an error says what a refusal answers.
func refusedBy(t *testing.T, err error, r refusal) {
	t.Helper()
	var answer *registration.Error
	if !errors.As(err, &answer) || answer.StatusCode != r.response.Status {
		t.Fatalf("the error is %v, not one about the status %d", err, r.response.Status)
	}
	_, tellsHowLong := r.response.Headers["Retry-After"]
	if waits := answer.RetryAfter == 30*time.Second; waits != tellsHowLong {
		t.Errorf("the node is to wait for %v", answer.RetryAfter)
	}
}
