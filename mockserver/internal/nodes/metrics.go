package nodes

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	nodesOnlineName    = "orchd_nodes_online"
	poolsAvailableName = "orchd_pools_available"

	// maxMeasuredNodes is how many nodes have heartbeat counters of their own.
	maxMeasuredNodes = 1000
	// otherNodes is in place of the id of every other node.
	otherNodes = "other"
)

// outcome is how a call ended.
type outcome int

const (
	succeeded outcome = iota
	failed
	unauthorized
	cloudDisabled
	outcomes // how many there are
)

// outcomeNames are what operators of orchestratord know outcomes by.
var outcomeNames = [outcomes]string{"success", "error", "unauthorized", "cloud_disabled"}

// metrics counts calls under the names that operators of orchestratord alert on. What
// is counted per call is looked up when the server starts, so that a call costs no
// formatting of labels.
type metrics struct {
	registry        *prometheus.Registry
	registrations   *counters
	heartbeats      *heartbeatCounters
	deregistrations *counters
	seconds         map[string]*[outcomes]prometheus.Observer // by operation
}

func newMetrics(nodes *cluster.Cluster, store *settings.Store) *metrics {
	own := prometheus.NewRegistry()
	own.MustRegister(census{nodes, store})
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return promauto.With(own).NewCounterVec(prometheus.CounterOpts{Name: name, Help: help},
			append(labels, "outcome"))
	}
	return &metrics{
		registry: own,
		registrations: newCounters(counter("orchd_node_registrations_total",
			"Calls to register a node, by outcome.")),
		heartbeats: newHeartbeatCounters(counter("orchd_node_heartbeats_total",
			"Heartbeats, by node and outcome. Nodes that are not on record, or too many, are "+otherNodes+".",
			"node_id")),
		deregistrations: newCounters(counter("orchd_node_deregistrations_total",
			"Calls to deregister a node, by outcome.")),
		seconds: newSeconds(own),
	}
}

// MetricsPage returns the page that the metrics are read from. In service it is always text of
// version 0.0.4, and what is counted in the cluster is declared there, and never set.
func (a *API) MetricsPage() http.Handler {
	page := promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.Settings.Load().Dialect != control.DialectInService {
			page.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Accept")
		r.Header.Del("Accept-Encoding")
		page.ServeHTTP(w, r)
		for _, name := range []string{nodesOnlineName, poolsAvailableName} {
			fmt.Fprintf(w, "# TYPE %s gauge\n", name)
		}
	})
}

// newSeconds returns what takes note of how long the calls of each operation take.
func newSeconds(own *prometheus.Registry) map[string]*[outcomes]prometheus.Observer {
	histograms := promauto.With(own).NewHistogramVec(prometheus.HistogramOpts{
		Name: "orchd_node_request_duration_seconds",
		Help: "How long calls took, by operation of the OpenAPI document and outcome.",
		// From a heartbeat on loopback to what nodes are promised: a heartbeat within
		// 1 s and a registration within 5 s (CLOUD-11001, CLOUD-11002).
		Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10},
	}, []string{"operation", "outcome"})
	seconds := map[string]*[outcomes]prometheus.Observer{}
	for _, operation := range spec.Nodes().Operations {
		observers := &[outcomes]prometheus.Observer{}
		for o, name := range outcomeNames {
			observers[o] = histograms.WithLabelValues(operation.ID, name)
		}
		seconds[operation.ID] = observers
	}
	return seconds
}

// outcomeOf returns what the status of an answer means.
func outcomeOf(x *exchange.Exchange) outcome {
	switch status := x.Status(); {
	case status < http.StatusMultipleChoices: // a redirect has done nothing
		return succeeded
	case status == http.StatusUnauthorized:
		return unauthorized
	case status == http.StatusServiceUnavailable && !x.Settings.CloudProfile:
		return cloudDisabled
	default:
		return failed
	}
}

// count counts a call that was answered, and its outcome. One whose connection was broken off has
// none.
func (m *metrics) count(x *exchange.Exchange) {
	o := outcomeOf(x)
	if !dialectOf(x).counts(x, o) {
		return
	}
	m.seconds[x.Operation.ID][o].Observe(time.Since(x.Began).Seconds())
	switch control.Operation(x.Operation.ID) {
	case control.OperationRegisterNode:
		m.registrations[o].Inc()
	case control.OperationHeartbeatNode:
		m.heartbeats.of(x.NodeID, o)[o].Inc()
	case control.OperationDeregisterNode:
		m.deregistrations[o].Inc()
	}
}

// counters count calls by outcome.
type counters [outcomes]prometheus.Counter

func newCounters(vec *prometheus.CounterVec) *counters {
	c := &counters{}
	for o, name := range outcomeNames {
		c[o] = vec.WithLabelValues(name)
	}
	return c
}

// heartbeatCounters count heartbeats by node. A node gets counters with its first good
// heartbeat, as long as there are any left. It keeps them when it deregisters and comes back:
// if they made room for others, the number of series would grow over time.
type heartbeatCounters struct {
	vec    *prometheus.CounterVec
	others *counters

	mu    sync.RWMutex
	nodes map[string]*counters
}

func newHeartbeatCounters(vec *prometheus.CounterVec) *heartbeatCounters {
	h := &heartbeatCounters{vec: vec, nodes: map[string]*counters{}}
	h.others = h.labelled(otherNodes)
	return h
}

// of returns the counters for a heartbeat of a node.
func (h *heartbeatCounters) of(id string, o outcome) *counters {
	h.mu.RLock()
	c, full := h.nodes[id], len(h.nodes) >= maxMeasuredNodes
	h.mu.RUnlock()
	switch {
	case c != nil:
		return c
	case full || o != succeeded:
		return h.others
	}
	return h.admit(id)
}

// admit gives a node counters of its own, unless there are none left by now.
func (h *heartbeatCounters) admit(id string) *counters {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.nodes[id] == nil {
		if len(h.nodes) >= maxMeasuredNodes {
			return h.others
		}
		h.nodes[id] = h.labelled(id)
	}
	return h.nodes[id]
}

func (h *heartbeatCounters) labelled(id string) *counters {
	return newCounters(h.vec.MustCurryWith(prometheus.Labels{"node_id": id}))
}

// census collects what the cluster counts when the metrics are read, unless the dialect is in
// service: see MetricsPage.
type census struct {
	nodes    *cluster.Cluster
	settings *settings.Store
}

var (
	nodesOnline = prometheus.NewDesc(nodesOnlineName,
		"Nodes that are Online.", nil, nil)
	poolsAvailable = prometheus.NewDesc(poolsAvailableName,
		"Pools of nodes that are Online which are ready and do not drain.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (census) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- nodesOnline
	descriptions <- poolsAvailable
}

// Collect is part of prometheus.Collector.
func (c census) Collect(samples chan<- prometheus.Metric) {
	if c.settings.Load().Dialect == control.DialectInService {
		return
	}
	totals := c.nodes.Totals()
	online := float64(totals.Nodes[nodeapi.NodeStatusOnline])
	samples <- prometheus.MustNewConstMetric(nodesOnline, prometheus.GaugeValue, online)
	samples <- prometheus.MustNewConstMetric(poolsAvailable, prometheus.GaugeValue, float64(totals.PoolsAvailable))
}
