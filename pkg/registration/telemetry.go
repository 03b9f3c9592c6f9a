package registration

import (
	"context"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const instrumentation = "github.com/llama-orch/node-registration/pkg/registration"

// name is the outcome of a request as telemetry calls it.
func (v verdict) name() string {
	switch v {
	case accepted:
		return "success"
	case refused:
		return "refused"
	case unauthorized:
		return "unauthorized"
	case forgotten:
		return "unknown_node"
	default:
		return "error"
	}
}

// tracing makes a client span of each request (CLOUD-7030).
type tracing struct {
	tracer trace.Tracer // nil for none
	nodeID string
	server server
}

func newTracing(c Config) tracing {
	provider := c.TracerProvider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	tracer := provider.Tracer(instrumentation, trace.WithInstrumentationVersion(version()),
		trace.WithSchemaURL(semconv.SchemaURL))
	if _, off := tracer.(noop.Tracer); off { // nobody would see the spans, which a large fleet would pay for
		tracer = nil
	}
	return tracing{tracer: tracer, nodeID: c.NodeID, server: serverOf(c.OrchestratordURL)}
}

// start begins the span of a request; its end takes the outcome. A request that nobody waits
// for is apart. The trace of whoever started the heartbeats would never end, so each is a
// trace of its own, with a link to that one.
func (t tracing) start(ctx context.Context, op operation, apart bool) (context.Context, func(outcome)) {
	if t.tracer == nil {
		return ctx, func(outcome) {}
	}
	attributes := append(op.attributes(t.server), attribute.String("node_id", t.nodeID))
	options := append(make([]trace.SpanStartOption, 0, 4), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attributes...))
	if apart {
		options = append(options, trace.WithNewRoot())
		if start := trace.LinkFromContext(ctx); start.SpanContext.IsValid() {
			options = append(options, trace.WithLinks(start))
		}
	}
	ctx, span := t.tracer.Start(ctx, op.span(), options...)
	if span.IsRecording() {
		span.SetAttributes(op.url(t.server, t.nodeID))
	}
	return ctx, func(o outcome) { end(span, o) }
}

func end(span trace.Span, o outcome) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String("correlation_id", o.correlationID))
	span.SetAttributes(o.attributes()...)
	if o.verdict != accepted {
		span.SetStatus(codes.Error, textOf(o.err))
	}
}

// inject writes the trace context of a request into its headers.
func inject(ctx context.Context, header http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
}

// metrics counts and times what a node does. It belongs to the node's owner.
type metrics struct {
	nodeID        string
	base          string // URL of orchestratord
	requests      metric.Float64Histogram
	heartbeats    metric.Int64Counter
	registrations metric.Int64Counter
	attributes    map[kind]measured // made when first needed, then kept

	meter   metric.Meter
	age     metric.Float64ObservableGauge
	state   metric.Int64ObservableGauge
	status  func() Status // which the gauges show
	once    sync.Once
	reading metric.Registration // of the gauges, nil while nobody reads them
}

// kind is what metrics distinguish.
type kind struct {
	op        operation
	verdict   verdict
	status    int
	errorType string
}

// measured are the attributes of a kind.
type measured struct{ request, count metric.MeasurementOption }

// begin makes the instruments. What cannot be made does nothing: a node does not
// fail for the sake of its metrics.
func (m *metrics) begin(c Config, status func() Status) {
	provider := c.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	m.meter = provider.Meter(instrumentation, metric.WithInstrumentationVersion(version()),
		metric.WithSchemaURL(semconv.SchemaURL))
	m.nodeID, m.base, m.status = c.NodeID, c.OrchestratordURL, status
	m.requests, _ = m.meter.Float64Histogram("node_registration.request.duration", metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
		metric.WithDescription("Time that requests to orchestratord took, by operation and outcome."))
	m.heartbeats, _ = m.meter.Int64Counter("node_registration.heartbeats",
		metric.WithUnit("{heartbeat}"), metric.WithDescription("Heartbeats by outcome."))
	m.registrations, _ = m.meter.Int64Counter("node_registration.registrations",
		metric.WithUnit("{registration}"), metric.WithDescription("Registrations that orchestratord confirmed."))
	m.age, _ = m.meter.Float64ObservableGauge("node_registration.heartbeat.age",
		metric.WithUnit("s"), metric.WithDescription("Time since the last good heartbeat was sent."))
	m.state, _ = m.meter.Int64ObservableGauge("node_registration.state",
		metric.WithUnit("{node}"), metric.WithDescription("1 for the state that the node is in, 0 for the others."))
}

// start registers the gauges, the first time that the node is used: from then on the
// MeterProvider keeps the node in memory. It does nothing after stop.
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
	for _, s := range states() {
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
	attributes := m.attributesOf(op, o)
	m.requests.Record(ctx, took.Seconds(), attributes.request)
	switch {
	case op == beating:
		m.heartbeats.Add(ctx, 1, attributes.count)
	case op == registering && o.verdict == accepted:
		m.registrations.Add(ctx, 1, attributes.count)
	}
}

func (m *metrics) attributesOf(op operation, o outcome) measured {
	k := kind{op, o.verdict, o.status, o.errorType()}
	known, ok := m.attributes[k]
	if !ok {
		node, name := attribute.String("node_id", m.nodeID), attribute.String("operation", string(op))
		known.count = metric.WithAttributeSet(attribute.NewSet(node, name,
			attribute.String("outcome", o.verdict.name())))
		known.request = metric.WithAttributeSet(attribute.NewSet(
			append(append(op.attributes(serverOf(m.base)), o.attributes()...), node, name)...))
		if m.attributes == nil {
			m.attributes = map[kind]measured{}
		}
		m.attributes[k] = known
	}
	return known
}

func is(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}
