package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// settings says what a fleet is and what it does.
type settings struct {
	node     registration.Config // what all nodes have in common
	prefix   string
	nodes    int
	ramp     time.Duration
	lifetime time.Duration // from the end of the ramp, 0 until stopped

	connections int

	killRate   float64 // nodes a second
	killShare  float64 // share of the fleet that may be down at once
	down       time.Duration
	changeRate float64 // pools a second
}

const (
	// maxNodes is far more than one machine carries.
	maxNodes = 10_000_000
	maxRamp  = 24 * time.Hour
	// maxRate is how often a second anything can be made to happen on purpose.
	maxRate = 10_000
)

// validate returns one error that lists everything wrong with the settings.
func (s settings) validate() error {
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	check(s.nodes > 0 && s.nodes <= maxNodes, "--nodes is %d: must be 1 to %d", s.nodes, maxNodes)
	check(s.ramp >= 0 && s.ramp <= maxRamp, "--ramp is %v: must be 0 to %v", s.ramp, maxRamp)
	check(s.lifetime >= 0, "--for is %v, which is negative", s.lifetime)
	check(s.connections > 0, "--connections is %d: must be above 0", s.connections)
	check(s.killRate >= 0 && s.killRate <= maxRate, "--kill-rate is %v: must be 0 to %d", s.killRate, maxRate)
	check(s.killShare >= 0 && s.killShare <= 1, "--kill-share is %v: must be 0 to 1", s.killShare)
	check(s.down >= 0, "--down is %v, which is negative", s.down)
	check(s.changeRate >= 0 && s.changeRate <= maxRate, "--change-rate is %v: must be 0 to %d", s.changeRate, maxRate)
	_, err := registration.New(s.config(max(s.nodes-1, 0), nil)) // the longest id
	return errors.Join(append(wrong, err)...)
}

// interval is that of the nodes until orchestratord directs another.
func (s settings) interval() time.Duration {
	if s.node.HeartbeatInterval == 0 {
		return registration.DefaultHeartbeatInterval
	}
	return s.node.HeartbeatInterval
}

// gentleRamp is a ramp that is no storm: a registration costs orchestratord more than a
// heartbeat, and those of the nodes that are up already come on top.
func (s settings) gentleRamp() time.Duration {
	const perSecond = 2000
	return max(s.interval(), time.Duration(s.nodes)*time.Second/perSecond)
}

// config returns the Config of one node. It switches off logs, spans and metrics, because
// the report has the results.
func (s settings) config(index int, client *http.Client) registration.Config {
	c := s.node
	c.NodeID = s.id(index)
	c.MachineID = s.prefix
	if client != nil {
		c.HTTPClient, c.TLS = client, registration.TLS{} // TLS is up to the client
	}
	c.Logger = slog.New(slog.DiscardHandler)
	c.TracerProvider = tracenoop.NewTracerProvider()
	c.MeterProvider = metricnoop.NewMeterProvider()
	return c
}

func (s settings) id(index int) string { return s.prefix + "-" + strconv.Itoa(index) }

// index returns which of the nodes an id names, and whether it names one.
func (s settings) index(id string) (int, bool) {
	number, ours := strings.CutPrefix(id, s.prefix+"-")
	index, err := strconv.Atoi(number)
	return index, ours && err == nil && index >= 0 && index < s.nodes && id == s.id(index)
}
