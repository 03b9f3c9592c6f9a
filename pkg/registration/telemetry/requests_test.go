package telemetry_test

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// durations registers a node against each answer, and returns how the time that this took
// is measured.
func durations(
	t *testing.T, url string, answers ...answer,
) (instrumentation.Scope, []metricdata.HistogramDataPoint[float64]) {
	t.Helper()
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	for _, a := range answers {
		c := config(&wire{answer: func(string) answer { return a }})
		c.OrchestratordURL = url
		c.MeterProvider = provider
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_ = newNode(t, c).Register(ctx)
		})
	}
	return measured(t, reader)
}

// measured returns the durations of requests.
func measured(
	t *testing.T, reader metric.Reader,
) (instrumentation.Scope, []metricdata.HistogramDataPoint[float64]) {
	t.Helper()
	collected := collect(t, reader)
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			if histogram, ok := m.Data.(metricdata.Histogram[float64]); ok &&
				m.Name == "node_registration.request.duration" {
				return scope.Scope, histogram.DataPoints
			}
		}
	}
	t.Fatalf("no request was measured: %+v", collected)
	return instrumentation.Scope{}, nil
}

// A request is described as OpenTelemetry's conventions for HTTP clients want it: with a
// status if there was an answer, and with the type of its error if it was in vain.
func TestWhatIsMeasuredOfARequest(t *testing.T) {
	for _, test := range []struct {
		url    string
		answer answer
		want   string
	}{
		{
			"http://orchestratord:8080",
			answer{},
			"http.request.method=POST http.response.status_code=200 node_id=gpu-node-1 operation=register " +
				"outcome=success server.address=orchestratord server.port=8080",
		},
		{"http://orchestratord/below/", answer{}, "http.response.status_code=200 outcome=success server.port=80"},
		{"https://[::1]", answer{}, "outcome=success server.address=::1 server.port=443"},
		{
			"http://orchestratord:8080", problem(503, "unavailable"),
			"error.type=503 http.response.status_code=503 outcome=error",
		},
		{
			"http://orchestratord:8080", problem(401, "unauthorized"),
			"error.type=401 http.response.status_code=401 outcome=unauthorized",
		},
		{"http://orchestratord:8080", answer{status: 302}, "error.type=302 http.response.status_code=302"},
		{
			"http://orchestratord:8080",
			answer{status: 200, body: `{"success":false,"message":"no","node_id":""}`},
			"error.type=refused http.response.status_code=200 outcome=refused",
		},
		{
			"http://orchestratord:8080",
			answer{status: 200, body: "<html>"},
			"error.type=error http.response.status_code=200 outcome=error",
		},
		{"http://orchestratord:8080", answer{err: errors.New("odd")}, "error.type=_OTHER outcome=error"},
		{
			"http://orchestratord:8080",
			answer{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}},
			"error.type=connection_failed outcome=error",
		},
		{
			"http://orchestratord:8080",
			answer{err: &net.DNSError{Name: "orchestratord", IsTimeout: true}},
			"error.type=name_not_resolved outcome=error",
		},
		{
			"https://orchestratord:8080",
			answer{err: &tls.CertificateVerificationError{Err: errors.New("expired")}},
			"error.type=server_certificate_invalid outcome=error",
		},
		{ // which lists many names
			"https://orchestratord:8080",
			answer{
				err: &tls.CertificateVerificationError{Err: errors.New(strings.Repeat("valid for a.example, ", 200))},
			},
			"error.type=server_certificate_invalid outcome=error",
		},
		{"http://orchestratord:8080", answer{err: context.Canceled}, "error.type=canceled outcome=error"},
		{"http://orchestratord:8080", answer{delay: time.Hour}, "error.type=timeout outcome=error"},
	} {
		scope, points := durations(t, test.url, test.answer)
		set := points[0].Attributes
		got := strings.Split(set.Encoded(attribute.DefaultEncoder()), ",")
		for want := range strings.SplitSeq(test.want, " ") {
			if !slices.Contains(got, want) {
				t.Errorf("%+v: %s is missing in %s", test.answer, want, got)
			}
		}
		if _, answered := set.Value("http.response.status_code"); answered != (test.answer.err == nil &&
			test.answer.delay == 0) {
			t.Errorf("%+v: whether there is a status is wrong in %s", test.answer, got)
		}
		if _, failed := set.Value("error.type"); failed != strings.Contains(test.want, "error.type") {
			t.Errorf("%+v: whether there is an error is wrong in %s", test.answer, got)
		}
		if scope.Version != "(devel)" || scope.SchemaURL == "" {
			t.Errorf("the scope is %+v, of another version than a workspace has, or without a schema", scope)
		}
	}
}

// A node counts each request as what it was, whatever others it has made before.
func TestWhatIsMeasuredOfManyRequestsOfANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []answer{
			{err: errors.New("odd")},
			{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}},
			problem(503, "unavailable"),
			{err: &net.DNSError{Name: "orchestratord", IsTimeout: true}},
			problem(500, ""),
			{},
			{},
			{status: http.StatusNoContent},
			{},
		}
		reader := metric.NewManualReader()
		met := -1
		c := config(&wire{answer: func(string) answer { met++; return answers[met] }})
		c.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
		secret := " no token"
		c.APIToken = func(context.Context) (string, error) { return secret, nil }
		node := newNode(t, c)
		if err := node.Register(t.Context()); !errors.Is(err, registration.ErrUnauthorized) {
			t.Errorf("without a token Register returned %v", err)
		}
		secret = token
		if err := errors.Join(node.Register(t.Context()), node.StartHeartbeat(t.Context(), ready)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(26 * time.Second)
		node.Stop(t.Context())
		got := map[string]uint64{}
		_, points := measured(t, reader)
		for _, point := range points {
			kind := ""
			for _, key := range []attribute.Key{"operation", "outcome", "http.response.status_code", "error.type"} {
				if value, is := point.Attributes.Value(key); is {
					kind += " " + value.String()
				}
			}
			got[kind] += point.Count
		}
		if want := map[string]uint64{
			" register unauthorized _OTHER": 1, " register error _OTHER": 1, " register error connection_failed": 1,
			" register error 503 503": 1, " register error name_not_resolved": 1, " register error 500 500": 1,
			" register success 200": 1, " heartbeat success 200": 2, " heartbeat success 204": 1,
		}; !maps.Equal(got, want) {
			t.Errorf("measured are %v, want %v", got, want)
		}
	})
}

// The bounds tell apart what takes a few milliseconds, as most requests do, and what takes
// seconds, as the last ones before a timeout do.
func TestBoundsOfDurationsAreForSeconds(t *testing.T) {
	_, points := durations(t, "http://orchestratord:8080",
		answer{delay: 3 * time.Millisecond}, answer{delay: 30 * time.Millisecond}, answer{
			delay: 300 * time.Millisecond,
		}, answer{delay: 900 * time.Millisecond})
	if filled := len(points[0].BucketCounts) - count(points[0].BucketCounts, 0); filled != 4 {
		t.Errorf("four requests of unlike length are in %d buckets", filled)
	}
	bounds := points[0].Bounds
	for _, took := range []float64{0.003, 0.03, 0.3, 3} {
		below, _ := slices.BinarySearch(bounds, took)
		above, _ := slices.BinarySearch(bounds, 3*took)
		if below == above || below == len(bounds) {
			t.Errorf("%v s and thrice that are in one of the buckets %v", took, bounds)
		}
	}
}

func count(counts []uint64, value uint64) int {
	n := 0
	for _, c := range counts {
		if c == value {
			n++
		}
	}
	return n
}
