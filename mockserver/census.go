package mockserver

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// census collects what the cluster counts when the metrics are read.
type census struct{ nodes *cluster.Cluster }

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
	totals := c.nodes.Totals()
	samples <- prometheus.MustNewConstMetric(nodesOnline, prometheus.GaugeValue, float64(totals.Nodes[nodeapi.NodeStatusOnline]))
	samples <- prometheus.MustNewConstMetric(poolsAvailable, prometheus.GaugeValue, float64(totals.PoolsAvailable))
}
