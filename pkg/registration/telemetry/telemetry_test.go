package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewSpanRecorder()
		reader := metric.NewManualReader()
		w := troubled()
		later := w.answer
		w.answer = func(op string) answer {
			if len(w.ops) == 1 {
				return problem(503, "unavailable")
			}
			return later(op)
		}
		c := config(w)
		c.TracerProvider = trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		c.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
		node := newNode(t, c)
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		if early := collect(t, reader); gauges(early) != "registered" {
			t.Errorf("after the registration the gauges show %s", gauges(early))
		}
		if err := node.StartHeartbeat(t.Context(), ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(36 * time.Second)

		collected := collect(t, reader)
		text := fmt.Sprintf("%+v %+v", collected, node.Status())
		if strings.Contains(text, token) {
			t.Errorf("metrics or status show the token: %s", text)
		}
		for _, want := range []string{
			"node_registration.heartbeats", "node_registration.registrations", "node_registration.request.duration",
			"node_registration.heartbeat.age", "node_registration.state",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("metric %s is missing", want)
			}
		}
		if beats := counted(collected, "node_registration.heartbeats"); beats != "error=2 success=4 unknown_node=1" {
			t.Errorf("heartbeats are %s", beats)
		}
		if got := counted(collected, "node_registration.registrations"); got != "success=2" {
			t.Errorf("registrations are %s", got)
		}
		if got := gauges(collected); got != "1s online" {
			t.Errorf("the gauges show %s", got)
		}
		node.Deregister(t.Context())
		collected = collect(t, reader)
		if !strings.Contains(fmt.Sprintf("%+v", collected), "deregister") {
			t.Error("the deregistration is not measured")
		}
		if got := counted(collected, "node_registration.registrations"); got != "success=2" {
			t.Errorf("with the deregistration, registrations are %s", got)
		}

		checkSpans(t, spans.Ended(), w)
	})
}

// checkSpans compares spans with the requests that came over the wire.
func checkSpans(t *testing.T, spans []trace.ReadOnlySpan, w *wire) {
	t.Helper()
	var ops []string
	for i, span := range spans {
		ops = append(ops, strings.TrimPrefix(span.Name(), "orchestratord "))
		parent, context := w.headers[i].Get("Traceparent"), span.SpanContext()
		if want := fmt.Sprintf("00-%s-%s-01", context.TraceID(), context.SpanID()); parent != want {
			t.Errorf("traceparent is %q, want %q", parent, want)
		}
		shown := fmt.Sprintf("%+v %+v %+v", span.Attributes(), span.Events(), span.Status())
		if strings.Contains(shown, token) {
			t.Errorf("span shows the token: %s", shown)
		}
	}
	if got := strings.Join(ops, " "); got != strings.Join(w.ops, " ") {
		t.Errorf("spans are %s, want %s", got, w.ops)
	}
}

// Whoever drops one of the instruments has the others.
func TestWhatIsMeasuredWithoutOneOfTheInstruments(t *testing.T) {
	instruments := []string{
		"node_registration.request.duration", "node_registration.heartbeats", "node_registration.registrations",
	}
	for _, dropped := range instruments {
		synctest.Test(t, func(t *testing.T) {
			reader := metric.NewManualReader()
			c := config(&wire{})
			c.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader), metric.WithView(metric.NewView(
				metric.Instrument{Name: dropped}, metric.Stream{Aggregation: metric.AggregationDrop{}})))
			node := beating(t, c, ready)
			time.Sleep(time.Second)
			node.Stop(t.Context())
			collected := fmt.Sprintf("%+v", collect(t, reader))
			for _, name := range instruments {
				if strings.Contains(collected, name) == (name == dropped) {
					t.Errorf("without %s, %s is missing or there", dropped, name)
				}
			}
		})
	}
}

// A node that does nothing, or nothing any more, is not kept in memory by its metrics.
func TestANodeIsMeasuredFromItsFirstUseToItsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		use      func(*registration.Node, context.Context) error
		measured bool
	}{
		"New":        {func(*registration.Node, context.Context) error { return nil }, false},
		"Register":   {(*registration.Node).Register, true},
		"Deregister": {(*registration.Node).Deregister, false},
		"Deregister, in vain": {func(n *registration.Node, ctx context.Context) error {
			err := n.Register(ctx)
			n.Deregister(ctx)
			return err
		}, false},
		"Stop": {func(n *registration.Node, ctx context.Context) error {
			return errors.Join(n.Register(ctx), n.Register(ctx), n.Stop(ctx))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			reader := metric.NewManualReader()
			c := config(&wire{answer: func(op string) answer {
				if op == "deregister" {
					return answer{status: http.StatusMethodNotAllowed}
				}
				return answer{}
			}})
			c.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
			if err := test.use(newNode(t, c), t.Context()); err != nil {
				t.Fatal(err)
			}
			collected := collect(t, reader)
			if measured := strings.Contains(fmt.Sprintf("%+v", collected),
				"node_registration.state"); measured != test.measured {
				t.Errorf("the node is measured: %v, want %v", measured, test.measured)
			}
		})
	}
}

func collect(t *testing.T, reader metric.Reader) (collected metricdata.ResourceMetrics) {
	t.Helper()
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	return collected
}

// gauges spells the age of the last heartbeat, if there is one, and the state.
func gauges(collected metricdata.ResourceMetrics) string {
	var parts []string
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch gauge := m.Data.(type) {
			case metricdata.Gauge[float64]:
				for _, point := range gauge.DataPoints {
					parts = append(parts, fmt.Sprintf("%vs", point.Value))
				}
			case metricdata.Gauge[int64]:
				for _, point := range gauge.DataPoints {
					state, _ := point.Attributes.Value("state")
					for range point.Value {
						parts = append(parts, state.AsString())
					}
				}
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// counted spells a counter by outcome.
func counted(collected metricdata.ResourceMetrics, name string) string {
	var parts []string
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
				for _, point := range sum.DataPoints {
					outcome, _ := point.Attributes.Value("outcome")
					parts = append(parts, fmt.Sprintf("%s=%d", outcome.AsString(), point.Value))
				}
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
