package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// Settings says what a fleet is and what it does.
type Settings struct {
	// Node is the Config that all nodes have in common. A fleet fills in their ids, and shares
	// one HTTPClient among them. Nodes log nothing; Logger has what befalls the shared client.
	Node     registration.Config
	Prefix   string // of the nodes' ids
	Nodes    int
	Ramp     time.Duration // over which registrations are spread
	Lifetime time.Duration // from the end of the ramp, 0 until stopped

	Connections int // that the nodes share, at most

	KillRate   float64       // nodes a second that crash
	KillShare  float64       // share of the fleet that may be down at once
	Down       time.Duration // of a node that has crashed
	ChangeRate float64       // pools a second that change their state
}

const (
	// maxNodes is far more than one machine carries.
	maxNodes = 10_000_000
	maxRamp  = 24 * time.Hour
	// maxRate is how often a second anything can be made to happen on purpose.
	maxRate = 10_000
)

// Validate returns one error that lists everything wrong with the settings, by the names of the
// flags of nodesim fleet.
func (s Settings) Validate() error {
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	check(s.Nodes > 0 && s.Nodes <= maxNodes, "--nodes is %d: must be 1 to %d", s.Nodes, maxNodes)
	check(s.Ramp >= 0 && s.Ramp <= maxRamp, "--ramp is %v: must be 0 to %v", s.Ramp, maxRamp)
	check(s.Lifetime >= 0, "--for is %v, which is negative", s.Lifetime)
	check(s.Connections > 0, "--connections is %d: must be above 0", s.Connections)
	check(s.KillRate >= 0 && s.KillRate <= maxRate, "--kill-rate is %v: must be 0 to %d", s.KillRate, maxRate)
	check(s.KillShare >= 0 && s.KillShare <= 1, "--kill-share is %v: must be 0 to 1", s.KillShare)
	check(s.Down >= 0, "--down is %v, which is negative", s.Down)
	check(s.ChangeRate >= 0 && s.ChangeRate <= maxRate, "--change-rate is %v: must be 0 to %d", s.ChangeRate, maxRate)
	longest := s.config(max(s.Nodes-1, 0), nil)
	if !nodeapi.ValidNodeID(longest.NodeID) {
		check(false, "--node-prefix is %q: no id of a node can begin with it", s.Prefix)
		longest.NodeID, longest.MachineID = "0", "0" // one complaint is enough
	}
	_, err := registration.New(longest)
	return errors.Join(append(wrong, err)...)
}

// interval is that of the nodes until orchestratord directs another.
func (s Settings) interval() time.Duration {
	return cmp.Or(s.Node.HeartbeatInterval, registration.DefaultHeartbeatInterval)
}

// GentleRamp returns a ramp that is no storm: a registration costs orchestratord more than a
// heartbeat, and those of the nodes that are up already come on top.
func (s Settings) GentleRamp() time.Duration {
	const perSecond = 2000
	return max(s.interval(), time.Duration(s.Nodes)*time.Second/perSecond)
}

// config returns the Config of one node. It switches off logs, spans and metrics, because
// the report has the results.
func (s Settings) config(index int, client *http.Client) registration.Config {
	c := s.Node
	c.NodeID = s.id(index)
	c.MachineID = s.Prefix
	if client != nil {
		c.HTTPClient, c.TLS = client, registration.TLS{} // TLS is up to the client
	}
	c.Logger = slog.New(slog.DiscardHandler)
	c.TracerProvider = tracenoop.NewTracerProvider()
	c.MeterProvider = metricnoop.NewMeterProvider()
	return c
}

func (s Settings) id(index int) string { return s.Prefix + "-" + strconv.Itoa(index) }

// index returns which of the nodes an id names, and whether it names one.
func (s Settings) index(id string) (int, bool) {
	number, ours := strings.CutPrefix(id, s.Prefix+"-")
	index, err := strconv.Atoi(number)
	return index, ours && err == nil && index >= 0 && index < s.Nodes && id == s.id(index)
}
