package registration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/llama-orch/node-registration/internal/weburl"
)

// The defaults of a Config.
const (
	// DefaultHeartbeatInterval is the interval until orchestratord directs
	// another one (CLOUD-2011).
	DefaultHeartbeatInterval = 10 * time.Second
	// DefaultNodeTimeout is when orchestratord counts a silent node as offline
	// (CLOUD-2013).
	DefaultNodeTimeout = 30 * time.Second
	// DefaultRequestTimeout bounds one request (CLOUD-11001).
	DefaultRequestTimeout = 5 * time.Second
	// DefaultShutdownTimeout bounds Deregister.
	DefaultShutdownTimeout = 5 * time.Second
	// DefaultRegisterEvery is how often a node registers although all is well.
	DefaultRegisterEvery = 5 * time.Minute
)

// The interval keeps within these bounds, whoever sets it.
const (
	minInterval = time.Second
	maxInterval = 5 * time.Minute
)

// Config says what a node is, where its orchestratord is, and how to talk to it.
// NodeID, MachineID and Address are required, and OrchestratordURL unless Standalone. The
// contract states what the fields may hold, and New checks it.
type Config struct {
	// NodeID names the node within the cluster.
	NodeID string
	// MachineID names the machine that the node runs on.
	MachineID string
	// Address is the base URL under which orchestratord reaches the node.
	Address string
	// OrchestratordURL is the base URL of orchestratord, http or https. It holds
	// no credentials: the token has a field of its own.
	OrchestratordURL string
	// Pools are the ids of the pools that the node serves.
	Pools []string
	// Capabilities say what the node can do.
	Capabilities Capabilities

	// HeartbeatInterval is the time between heartbeats (CLOUD-2011). At zero orchestratord
	// directs it. Until then it is DefaultHeartbeatInterval or a third of NodeTimeout,
	// whichever is less, but 1 s at least. Any other value is a ceiling: orchestratord may ask
	// for faster heartbeats, not for slower ones. It must be within 1 s to 5 min, and less
	// than half of NodeTimeout. Then one lost heartbeat does not take the node offline.
	HeartbeatInterval time.Duration
	// APIToken is the source of the bearer token that is sent with every request
	// (CLOUD-4001): StaticToken, TokenFile, or a function. Nil for none.
	APIToken TokenSource

	// Version is the version of the node's software, empty for none.
	Version string
	// Standalone is for a node that serves without an orchestratord, by the same code. Run
	// waits for its context and calls Drain, and every other method does nothing and returns
	// nil. OrchestratordURL may then be empty.
	Standalone bool

	// NodeTimeout is the silence after which orchestratord counts a node as offline. A node
	// cut off for nearly that long registers again before it beats: orchestratord may accept
	// heartbeats of a node that it has written off. Zero means DefaultNodeTimeout. It must be
	// longer than two heartbeat intervals. If orchestratord directs an interval of nearly
	// NodeTimeout, the node registers before every heartbeat.
	NodeTimeout time.Duration
	// RequestTimeout bounds one request, from the token source to the last byte of the
	// answer. Zero means DefaultRequestTimeout, or half of NodeTimeout if that is less. It
	// must be shorter than NodeTimeout.
	//
	// A heartbeat has less time: half of the interval or a quarter of NodeTimeout, whichever
	// is less. It has at least a second, or what a NodeTimeout of less than 2.4 s leaves.
	// After a failure it has all of RequestTimeout.
	RequestTimeout time.Duration
	// MaxBackoff bounds the pause between two attempts while orchestratord is away. Zero means
	// half of the heartbeat interval, so that a node is back within one interval of
	// orchestratord's return. Half of NodeTimeout bounds it too. A Retry-After is obeyed
	// besides, up to a minute: the pause comes on top of it. It must be shorter than
	// NodeTimeout.
	MaxBackoff time.Duration
	// RegisterEvery is how often a node registers although all is well, with a heartbeat right
	// behind. An orchestratord may have written it off without a word, and answer its
	// heartbeats all the same. Each period is between half of it and all of it, so that a
	// fleet does not register at once. Zero means DefaultRegisterEvery, a negative value
	// never.
	RegisterEvery time.Duration
	// ShutdownTimeout bounds Deregister and Stop. Zero means DefaultShutdownTimeout.
	ShutdownTimeout time.Duration
	// Drain is called by Run when its context has ended, and returns when the node
	// has finished its work. Until then heartbeats go on, and the status callback
	// should report the pools as draining. Its context does not end: it must limit its own
	// time. If it panics, the node leaves, and Run returns an error. It is called in standalone
	// mode too, but not for another node that never was registered: nobody has sent it work.
	// Nil for a node that leaves at once.
	Drain func(ctx context.Context)

	// TLS says whom the node trusts and how it shows who it is. If it is set, the URL of
	// orchestratord has to be https.
	TLS TLS
	// HTTPClient sends the requests. It decides on TLS, but redirects are never followed.
	// Nil means a client of the node's own, which heeds HTTP_PROXY, HTTPS_PROXY and
	// NO_PROXY. It has one connection: kept open between heartbeats, replaced after a failure
	// and every five minutes or so, and closed by Deregister.
	//
	// Many nodes in one program should share a client with a transport of NewTransport.
	// http.Transport as it is keeps a connection that is dead. Over HTTP/2 each request times out
	// on it, until the kernel gives up after a quarter of an hour. A connection of a shared client
	// lasts as long as it answers, wherever the name of orchestratord points by then.
	HTTPClient *http.Client
	// Logger takes one line per change of state, with node_id, machine_id and correlation_id
	// (CLOUD-7020); single heartbeats are logged at Debug. Its handler takes them on a
	// goroutine of its own, and may block. Lines are dropped when more than 64 wait, and the
	// next line counts them. Deregister, Stop and Run wait for it for a second at the most.
	// The handler's Enabled is called in place, and has to answer at once. Nil means
	// slog.Default.
	Logger *slog.Logger
	// OnEvent is called with what happens, in order and on a goroutine of its own. It may
	// take its time: only Deregister, Stop and Run wait for it, for a second at the most.
	// Events are dropped when more than 64 wait, or OnEvent panics or ends its goroutine, and the
	// next event counts them. The first panic is logged.
	OnEvent func(Event)
	// TracerProvider makes a client span of each request, whose context crosses
	// the wire as traceparent (CLOUD-7030). Nil means OpenTelemetry's global one.
	TracerProvider trace.TracerProvider
	// MeterProvider takes the metrics node_registration.heartbeats, .registrations,
	// .request.duration, .heartbeat.age and .state; docs/telemetry.md lists them with
	// units and attributes. Nil means OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
	// Jitter returns numbers in [0, 1) from which everything random is drawn; others
	// count as the nearest of these. It is called by one goroutine at a time. Nil means
	// math/rand/v2.
	Jitter func() float64
}

// withDefaults returns the Config with every empty option filled in.
func (c Config) withDefaults() Config {
	setDefault(&c.NodeTimeout, DefaultNodeTimeout)
	setDefault(&c.RequestTimeout, cmp.Or(max(min(DefaultRequestTimeout, c.NodeTimeout/2), 0), DefaultRequestTimeout))
	setDefault(&c.ShutdownTimeout, DefaultShutdownTimeout)
	setDefault(&c.RegisterEvery, DefaultRegisterEvery)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Jitter = bounded(c.Jitter)
	return c
}

// settings are the part of a Config that a node keeps: a fleet holds many of them.
type settings struct {
	nodeID, machineID                     string
	nodeTimeout, requestTimeout, shutdown time.Duration
	drain                                 func(context.Context)
	jitter                                func() float64
}

func (c Config) settings() settings {
	return settings{
		nodeID: c.NodeID, machineID: c.MachineID,
		nodeTimeout: c.NodeTimeout, requestTimeout: c.RequestTimeout, shutdown: c.ShutdownTimeout,
		drain: c.Drain, jitter: c.Jitter,
	}
}

// firstInterval is the interval of a node that leaves it to orchestratord, until that
// directs one.
func (c Config) firstInterval() time.Duration {
	return max(min(DefaultHeartbeatInterval, c.NodeTimeout/3), minInterval)
}

// bounded keeps what a Jitter returns within [0, 1).
func bounded(jitter func() float64) func() float64 {
	if jitter == nil {
		return rand.Float64
	}
	return func() float64 {
		j := jitter()
		if !(j > 0) {
			return 0
		}
		return min(j, math.Nextafter(1, 0))
	}
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// validate returns one error that lists everything wrong with a Config whose
// defaults are filled in, nil when it can work.
func (c Config) validate() error {
	if err := c.check(originOf(c)); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, joined{err})
	}
	return nil
}

func (c Config) check(from origin) error {
	return errors.Join(append(c.checkDurations(from),
		c.description().check(c.settings(), from), c.checkURL(from), c.checkTLS())...)
}

// checkDurations compares durations only with those that are possible: each mistake is stated once.
func (c Config) checkDurations(from origin) (wrong []error) {
	interval, timeout := c.HeartbeatInterval, c.NodeTimeout
	intervalFrom, timeoutFrom := from(EnvHeartbeatInterval), from(EnvNodeTimeout)
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if interval != 0 && (interval < minInterval || interval > maxInterval) {
		add("heartbeat interval%s is %v, which is not within %v to %v",
			intervalFrom, interval, minInterval, maxInterval)
		interval = 0
	}
	if interval == 0 {
		interval, intervalFrom = c.firstInterval(), ""
	}
	if timeout <= 0 {
		add("node timeout%s is %v, which is not positive", timeoutFrom, timeout)
		timeout = math.MaxInt64
	}
	if timeout <= 2*interval {
		add("node timeout%s is %v, which is not longer than two heartbeat intervals%s of %v",
			timeoutFrom, timeout, intervalFrom, interval)
	}
	if c.RequestTimeout <= 0 {
		add("request timeout is %v, which is not positive", c.RequestTimeout)
	}
	if c.RequestTimeout >= timeout {
		add("request timeout is %v, which is not shorter than the node timeout%s of %v",
			c.RequestTimeout, timeoutFrom, timeout)
	}
	if c.MaxBackoff < 0 {
		add("max backoff is %v, which is negative", c.MaxBackoff)
	}
	if c.MaxBackoff >= timeout {
		add("max backoff is %v, which is not shorter than the node timeout%s of %v", c.MaxBackoff, timeoutFrom, timeout)
	}
	if c.ShutdownTimeout <= 0 {
		add("shutdown timeout is %v, which is not positive", c.ShutdownTimeout)
	}
	return wrong
}

// checkURL says what is wrong with the base URL of orchestratord.
func (c Config) checkURL(from origin) error {
	if c.OrchestratordURL == "" && c.Standalone {
		return nil
	}
	base, err := weburl.ParseBase(c.OrchestratordURL)
	switch {
	case err != nil:
		return fmt.Errorf("orchestratord URL%s %w", from(EnvOrchestratordURL), err)
	case base.Scheme != "https" && c.TLS != (TLS{}):
		return fmt.Errorf("orchestratord URL%s is not https, but TLS is set: the token would be sent in clear",
			from(EnvOrchestratordURL))
	}
	return nil
}

func (c Config) checkTLS() error {
	if c.TLS == (TLS{}) {
		return nil
	}
	if c.HTTPClient != nil {
		return errors.New("TLS is set beside an HTTP client, which has its own")
	}
	_, err := c.TLS.config()
	return err
}

// joined writes the errors of an errors.Join on one line. It unwraps to a list, as the errors of
// errors.Join do, so that a program can go through them.
type joined struct{ error }

func (j joined) Error() string   { return strings.ReplaceAll(j.error.Error(), "\n", "; ") }
func (j joined) Unwrap() []error { return []error{j.error} }
