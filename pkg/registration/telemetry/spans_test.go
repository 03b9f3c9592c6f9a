package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A span says where its request went and what became of it; a heartbeat's is the root of a
// trace, and is linked to the span in which the heartbeats were started.
func TestSpans(t *testing.T) {
	for name, live := range map[string]func(*registration.Node, context.Context) error{
		"step by step": func(n *registration.Node, ctx context.Context) error {
			err := errors.Join(n.Register(ctx), n.StartHeartbeat(ctx, ready))
			time.Sleep(36 * time.Second)
			return errors.Join(err, n.Deregister(ctx))
		},
		"Run": func(n *registration.Node, ctx context.Context) error {
			ctx, end := context.WithTimeout(ctx, 36*time.Second)
			defer end()
			return n.Run(ctx, ready)
		},
	} {
		t.Run(name, func(t *testing.T) { spansOf(t, live) })
	}
}

// spansOf checks the spans of a node whose life is a function.
func spansOf(t *testing.T, live func(*registration.Node, context.Context) error) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewSpanRecorder()
		provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		w := troubled()
		c := config(w)
		c.TracerProvider = provider
		c.OrchestratordURL += "/" // as people write it, too
		ctx, start := provider.Tracer("test").Start(t.Context(), "start")
		if err := live(newNode(t, c), ctx); err != nil {
			t.Fatal(err)
		}

		traces, statuses := map[string]bool{}, 0
		for i, span := range spans.Ended() {
			first, last := i == 0, i == len(spans.Ended())-1
			if child := span.Parent().SpanID() == start.SpanContext().SpanID(); child != (first || last) {
				t.Errorf("%s is a child of the start: %v", span.Name(), child)
			}
			if linked := len(span.Links()) == 1 &&
				span.Links()[0].SpanContext.Equal(start.SpanContext()); linked == (first || last) {
				t.Errorf("%s is linked to the start: %v", span.Name(), linked)
			}
			if method := attributeOf(span, "http.request.method"); (method == http.MethodDelete) != last {
				t.Errorf("%s was a %s", span.Name(), method)
			}
			checkSpan(t, span, w.headers[i].Get("X-Correlation-Id"))
			traces[span.SpanContext().TraceID().String()] = true
			if attributeOf(span, "http.response.status_code") != "" {
				statuses++
			}
		}
		if n := len(spans.Ended()); len(traces) != n-1 || statuses != n-2 {
			t.Errorf(
				"%d spans are in %d traces, and %d have a status; want all but two in one of their own, and all but "+
					"the two unanswered", n, len(traces), statuses)
		}
	})
}

// checkSpan looks whether a span says where its request went and what became of it.
func checkSpan(t *testing.T, span trace.ReadOnlySpan, correlationID string) {
	t.Helper()
	if url := attributeOf(span, "url.full"); !strings.HasPrefix(url, "http://orchestratord:8080/v2/nodes/") ||
		span.Name() == "orchestratord heartbeat" &&
			url != "http://orchestratord:8080/v2/nodes/gpu-node-1/heartbeat" {
		t.Errorf("%s went to %s", span.Name(), url)
	}
	isGood := strings.HasPrefix(attributeOf(span, "http.response.status_code"), "20")
	if (span.Status().Code == codes.Error) == isGood || isGood && span.Status().Code != codes.Unset ||
		span.SpanKind().String() != "client" {
		t.Errorf("%s is a %s, with the status %s", span.Name(), span.SpanKind(), span.Status().Code)
	}
	if id := attributeOf(span, "correlation_id"); id != correlationID {
		t.Errorf("%s has the correlation id %s, and was sent with %s", span.Name(), id, correlationID)
	}
	if text := span.Status().Description; strings.Contains(text, correlationID) == isGood {
		t.Errorf("%s ended with %q", span.Name(), text)
	}
	if span.InstrumentationScope().Version == "" {
		t.Error("the scope has no version")
	}
}

// attributeOf returns an attribute as a text, empty if there is none.
func attributeOf(span trace.ReadOnlySpan, key attribute.Key) string {
	set := attribute.NewSet(span.Attributes()...)
	value, _ := set.Value(key)
	return value.String()
}

// Heartbeats that were started outside any trace are linked to nothing.
func TestSpansWithoutAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewSpanRecorder()
		c := config(&wire{})
		c.TracerProvider = trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		node := beating(t, c, ready)
		time.Sleep(time.Minute)
		node.Stop(t.Context())
		for _, span := range spans.Ended() {
			if span.Parent().IsValid() || len(span.Links()) != 0 {
				t.Errorf("%s has the parent %v and the links %v", span.Name(), span.Parent(), span.Links())
			}
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The span of a request whose transport never returns is no success.
func TestSpansOfTransportsThatFail(t *testing.T) {
	for name, transport := range map[string]roundTripper{
		"panics":             func(*http.Request) (*http.Response, error) { panic("no way") },
		"ends its goroutine": func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spans := tracetest.NewSpanRecorder()
				c := config(nil)
				c.HTTPClient = &http.Client{Transport: transport}
				c.TracerProvider = trace.NewTracerProvider(trace.WithSpanProcessor(spans))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				node := newNode(t, c)
				node.Register(ctx)
				node.Stop(t.Context())
				for _, span := range spans.Ended() {
					outcome := attributeOf(span, "outcome")
					if outcome != "error" || span.Status().Code != codes.Error {
						t.Errorf("the outcome is %s, and the status %s", outcome, span.Status().Code)
					}
				}
			})
		})
	}
}
