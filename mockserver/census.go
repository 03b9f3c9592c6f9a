package mockserver

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// census tells metrics what the registry knows at the moment that they are asked for,
// so that heartbeats keep no totals.
type census struct{ nodes *registry.Registry }

var (
	nodesOnline = prometheus.NewDesc("orchd_nodes_online",
		"Nodes that are Online.", nil, nil)
	poolsAvailable = prometheus.NewDesc("orchd_pools_available",
		"Pools of nodes that are Online which are ready and do not drain.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (census) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- nodesOnline
	descriptions <- poolsAvailable
}

// Collect is part of prometheus.Collector.
func (c census) Collect(samples chan<- prometheus.Metric) {
	online, available := 0, 0
	for _, node := range c.nodes.Nodes() {
		if node.Status != nodeapi.NodeStatusOnline {
			continue
		}
		online++
		for _, pool := range node.Pools {
			if pool.Ready && (pool.Draining == nil || !*pool.Draining) {
				available++
			}
		}
	}
	samples <- prometheus.MustNewConstMetric(nodesOnline, prometheus.GaugeValue, float64(online))
	samples <- prometheus.MustNewConstMetric(poolsAvailable, prometheus.GaugeValue, float64(available))
}
