package registration

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const instrumentation = "github.com/llama-orch/node-registration/pkg/registration"

// name is the outcome of a request as metrics call it.
func (v verdict) name() string {
	return [...]string{accepted: "success", failed: "error", refused: "refused", unauthorized: "unauthorized", forgotten: "unknown_node"}[v]
}

// tracing makes a client span of each request (CLOUD-7030).
type tracing struct {
	tracer trace.Tracer
	nodeID string
}

func newTracing(c Config) tracing {
	provider := c.TracerProvider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return tracing{tracer: provider.Tracer(instrumentation), nodeID: c.NodeID}
}

// start begins the span of a request; its end takes the outcome.
func (t tracing) start(ctx context.Context, op operation) (context.Context, func(outcome)) {
	ctx, span := t.tracer.Start(ctx, "orchestratord "+string(op),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("node_id", t.nodeID)))
	return ctx, func(o outcome) {
		if !span.IsRecording() {
			span.End()
			return
		}
		span.SetAttributes(attribute.String("correlation_id", o.correlationID), attribute.String("outcome", o.verdict.name()))
		var e *Error
		if errors.As(o.err, &e) {
			span.SetAttributes(attribute.Int("http.response.status_code", e.StatusCode))
			span.SetStatus(codes.Error, e.Error())
		}
		span.End()
	}
}

// inject writes the trace context of a request into its headers.
func inject(ctx context.Context, header http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
}

// metrics counts and times what a node does. It belongs to the node's owner.
type metrics struct {
	nodeID        string
	requests      metric.Float64Histogram
	heartbeats    metric.Int64Counter
	registrations metric.Int64Counter
	attributes    map[kind]metric.MeasurementOption // made when first needed, then kept

	meter   metric.Meter
	age     metric.Float64ObservableGauge
	state   metric.Int64ObservableGauge
	status  func() Status // what the gauges tell of
	once    sync.Once
	reading metric.Registration // of the gauges, nil while nobody reads them
}

// kind is what metrics tell apart.
type kind struct {
	op      operation
	verdict verdict
}

// begin makes the instruments. What cannot be made does nothing: a node does not
// fail for the sake of its metrics.
func (m *metrics) begin(c Config, status func() Status) {
	provider := c.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	m.meter, m.nodeID, m.status = provider.Meter(instrumentation), c.NodeID, status
	m.requests, _ = m.meter.Float64Histogram("node_registration.request.duration",
		metric.WithUnit("s"), metric.WithDescription("Time that requests to orchestratord took, by operation and outcome."))
	m.heartbeats, _ = m.meter.Int64Counter("node_registration.heartbeats",
		metric.WithDescription("Heartbeats by outcome."))
	m.registrations, _ = m.meter.Int64Counter("node_registration.registrations",
		metric.WithDescription("Registrations that orchestratord confirmed."))
	m.age, _ = m.meter.Float64ObservableGauge("node_registration.heartbeat.age",
		metric.WithUnit("s"), metric.WithDescription("Time since the last good heartbeat was sent."))
	m.state, _ = m.meter.Int64ObservableGauge("node_registration.state",
		metric.WithDescription("1 for the state that the node is in, 0 for the others."))
}

// start has the gauges read from the first call on. Who reads them keeps the node in
// memory, so this waits until the node is used, and does nothing after stop.
func (m *metrics) start() {
	m.once.Do(func() {
		if reading, err := m.meter.RegisterCallback(m.read, m.age, m.state); err == nil {
			m.reading = reading
		}
	})
}

func (m *metrics) read(_ context.Context, o metric.Observer) error {
	now, node := m.status(), attribute.String("node_id", m.nodeID)
	if !now.LastHeartbeat.IsZero() {
		o.ObserveFloat64(m.age, time.Since(now.LastHeartbeat).Seconds(), metric.WithAttributes(node))
	}
	for _, s := range states {
		o.ObserveInt64(m.state, is(s == now.State), metric.WithAttributes(node, attribute.String("state", string(s))))
	}
	return nil
}

func (m *metrics) stop() {
	m.once.Do(func() {})
	if m.reading != nil {
		_ = m.reading.Unregister()
	}
}

// record notes a request and how long it took, if anybody measures.
func (m *metrics) record(op operation, o outcome, took time.Duration) {
	ctx := context.Background()
	if !m.requests.Enabled(ctx) && !m.heartbeats.Enabled(ctx) && !m.registrations.Enabled(ctx) {
		return
	}
	attributes := m.attributesOf(kind{op, o.verdict})
	m.requests.Record(ctx, took.Seconds(), attributes)
	switch {
	case op == beating:
		m.heartbeats.Add(ctx, 1, attributes)
	case op == registering && o.verdict == accepted:
		m.registrations.Add(ctx, 1, attributes)
	}
}

func (m *metrics) attributesOf(s kind) metric.MeasurementOption {
	if m.attributes == nil {
		m.attributes = map[kind]metric.MeasurementOption{}
	}
	if m.attributes[s] == nil {
		m.attributes[s] = metric.WithAttributeSet(attribute.NewSet(attribute.String("node_id", m.nodeID),
			attribute.String("operation", string(s.op)), attribute.String("outcome", s.verdict.name())))
	}
	return m.attributes[s]
}

func is(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}
