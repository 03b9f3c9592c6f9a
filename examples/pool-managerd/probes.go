package main

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func routes(node *registration.Node, pool *pool, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /work", pool.work(node.Notify))
	mux.HandleFunc("GET /healthz", probe(func() error { return node.Healthy(30 * time.Second) }))
	mux.HandleFunc("GET /readyz", probe(node.Ready))
	mux.Handle("GET /metrics", metrics)
	return mux
}

func probe(fault func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := fault(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte("ok\n"))
	}
}

// newMetrics returns the page with the metrics, and what counts them.
func newMetrics() (http.Handler, metric.MeterProvider, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return nil, nil, err
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), sdk.NewMeterProvider(sdk.WithReader(reader)), nil
}
