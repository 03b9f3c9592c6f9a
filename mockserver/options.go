package mockserver

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// What a server does unless an option says otherwise.
const (
	DefaultNodeTimeout       = 30 * time.Second // CLOUD-2013
	DefaultHeartbeatInterval = 10 * time.Second // CLOUD-2011
	DefaultBodyLimit         = 2 << 20          // bytes
	DefaultMaxNodes          = 1_000_000        // as many as the document lets a list have
)

// Option changes what a new Server does.
type Option func(*config)

// WithTokens makes the server answer 401 to calls that carry none of these bearer
// tokens (CLOUD-4002, CLOUD-4005). Several are valid at once, so that a token can be
// replaced while nodes still use the old one (CLOUD-4012). Given again, it adds to
// them. What characters a token may have, the document of the control API says.
func WithTokens(tokens ...string) Option {
	return func(c *config) { c.given.tokens = append(c.given.tokens, tokens...) }
}

// WithNodeTimeout sets how long after its last heartbeat, or its registration when
// none came, a node is marked offline (CLOUD-2013). It must be longer than the
// heartbeat interval.
func WithNodeTimeout(timeout time.Duration) Option {
	return func(c *config) { c.start.nodeTimeout = timeout }
}

// WithHeartbeatInterval sets how often the server asks nodes for a heartbeat (CLOUD-2011): 1 ms
// to a day. Nodes do not see fractions of a millisecond.
func WithHeartbeatInterval(interval time.Duration) Option {
	return func(c *config) { c.start.heartbeatInterval = interval }
}

// WithCloudProfile switches the cloud profile on or off. While it is off, valid calls
// get 503.
func WithCloudProfile(on bool) Option {
	return func(c *config) { c.start.cloudProfile = on }
}

// WithLogger sets where the server logs. Changes of a node are at Info, its heartbeats at
// Debug. Refused requests and each new departure from the contract are at Warn, the server's
// own faults at Error. No token is ever logged (CLOUD-4013). By default, and with nil, nothing
// is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) { c.log = logger }
}

// WithClock sets the clock that nodes time out by. By default, and with nil, it is one
// that shows real time.
func WithClock(clock *clock.Clock) Option {
	return func(c *config) { c.clock = clock }
}

// WithBodyLimit sets how many bytes a request body may have. A longer one gets 413.
func WithBodyLimit(bytes int64) Option {
	return func(c *config) { c.bodyLimit = bytes }
}

// WithMaxNodes sets how many nodes may be on record, at most as many as the document lets a
// list have. Another one that registers gets 503. What nodes say of themselves is bounded too:
// by half of GOMEMLIMIT, or 2 GiB without it. Beyond that, registrations and heartbeats that
// say more than the node's last one get 503. Beyond half of that, so do those of more than 16
// KiB.
func WithMaxNodes(count int) Option {
	return func(c *config) { c.maxNodes = count }
}

// WithForgetAfter has the server forget nodes that have been Offline for so long, as if they
// had deregistered. By default, and with 0, it forgets none.
func WithForgetAfter(offline time.Duration) Option {
	return func(c *config) { c.forgetAfter = offline }
}

// WithValidation sets what becomes of requests that break the document. By default it
// is Strict.
func WithValidation(mode Validation) Option {
	return func(c *config) { c.start.validation = mode }
}

// WithFaults has the server misbehave from the start, by these faults beside the presets
// or in place of them. Given again, it adds to them.
func WithFaults(definitions map[string]control.FaultDefinition) Option {
	return func(c *config) {
		if c.startFaults == nil {
			c.startFaults = map[string]control.FaultDefinition{}
		}
		maps.Copy(c.startFaults, definitions)
	}
}

// WithControlToken makes the control API answer 401 to calls without this bearer token. It must
// have the form of a token, and be none that nodes use. With "", the default, the control API
// takes every call that a stray web page cannot have made.
func WithControlToken(token string) Option {
	return func(c *config) { c.given.controlToken = token }
}

// WithControlHosts adds names under which the control API may be called, without a port. IP
// addresses and localhost are always allowed, and with a control token any name. A call under
// another name gets 403: it may come from a web page whose name was rebound to the server (DNS
// rebinding). While nodes need no token, the names also hold for what nodes use, if a browser
// calls it.
func WithControlHosts(names ...string) Option {
	return func(c *config) {
		for _, name := range names {
			c.controlHosts = append(c.controlHosts, strings.ToLower(name))
		}
	}
}

// WithoutControl switches the control API off: there is nothing at its paths.
func WithoutControl() Option {
	return func(c *config) { c.uncontrolled = true }
}

// WithJournal sets how many requests and changes of nodes the server keeps to tell of: up
// to 100,000, by default journal.DefaultSize, and with 0 none. See there what memory they
// take.
func WithJournal(size int) Option {
	return func(c *config) { c.journalSize = size }
}

type config struct {
	given        secrets
	start        settings // which the control API changes
	log          *slog.Logger
	clock        *clock.Clock
	bodyLimit    int64
	maxNodes     int
	forgetAfter  time.Duration
	journalSize  int
	controlToken []digest // one or none
	controlHosts []string
	uncontrolled bool
	origins      []string // see WithCORS

	startFaults map[string]control.FaultDefinition
	faults      *faults.Set // which the control API changes
}

// secrets are the tokens as the options state them. They are not kept.
type secrets struct {
	tokens       []string
	controlToken string
}

func newConfig(options []Option) (config, error) {
	c := config{
		start: settings{
			nodeTimeout:       DefaultNodeTimeout,
			heartbeatInterval: DefaultHeartbeatInterval,
			cloudProfile:      true,
			validation:        Strict,
		},
		bodyLimit:   DefaultBodyLimit,
		maxNodes:    DefaultMaxNodes,
		journalSize: journal.DefaultSize,
	}
	for _, option := range options {
		option(&c)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.clock == nil {
		c.clock = clock.New()
	}
	c.faults = faults.New(c.clock)
	err := errors.Join(c.checkTokens(), c.check(), c.faults.Load(c.startFaults))
	c.seal()
	return c, err
}

// seal puts digests in place of the tokens.
func (c *config) seal() {
	for _, token := range c.given.tokens {
		c.start.tokens = append(c.start.tokens, digestOf(token))
	}
	if c.given.controlToken != "" {
		c.controlToken = []digest{digestOf(c.given.controlToken)}
	}
	c.given = secrets{}
}

// checkTokens returns everything that is wrong with the tokens, and repeats none of them
// (CLOUD-4013).
func (c config) checkTokens() error {
	var wrong []error
	check := func(what, token string) {
		if err := checkToken(token); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", what, err))
		}
	}
	for i, token := range c.given.tokens {
		what := fmt.Sprintf("token %d of %d", i+1, len(c.given.tokens))
		check(what, token)
		if token != "" && token == c.given.controlToken {
			wrong = append(wrong, fmt.Errorf("%s is the control token: nodes must not have it", what))
		}
	}
	if c.given.controlToken != "" {
		check("control token", c.given.controlToken)
	}
	return errors.Join(wrong...)
}

// checkToken returns what is wrong with a token, if anything is.
func checkToken(token string) error {
	doc := spec.Control()
	schema := doc.Schema("SettingsChange").Properties["tokens"].Value.Items.Value
	if wrong := doc.Check(schema, token); wrong != nil {
		return errors.New(wrong[0].Detail)
	}
	return nil
}

// checkInterval returns what is wrong with a heartbeat interval to ask nodes for.
func checkInterval(interval time.Duration) error {
	doc := spec.Nodes()
	if wrong := doc.Check(doc.Schema("HeartbeatResponse"), heartbeatAnswer(interval)); wrong != nil {
		return fmt.Errorf("in milliseconds it %s", wrong[0].Detail)
	}
	return nil
}

// check returns everything else that is wrong with a config.
func (c config) check() error {
	var wrong []error
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(format, args...))
	}
	if err := checkInterval(c.start.heartbeatInterval); err != nil {
		complain("heartbeat interval %s: %w", c.start.heartbeatInterval, err)
	}
	if c.start.nodeTimeout <= c.start.heartbeatInterval {
		complain("node timeout %s: must be longer than the heartbeat interval %s", c.start.nodeTimeout, c.start.heartbeatInterval)
	}
	if c.bodyLimit <= 0 {
		complain("body limit %d: must be positive", c.bodyLimit)
	}
	if most := spec.Nodes().MaxNodes; c.maxNodes < 1 || c.maxNodes > most {
		complain("at most %d nodes: must be 1 to %d, which is what a list of them may have", c.maxNodes, most)
	}
	if c.forgetAfter < 0 {
		complain("nodes are forgotten after %s: must be 0 or more", c.forgetAfter)
	}
	if c.journalSize < 0 || c.journalSize > maxJournal {
		complain("journal of %d entries: must be 0 to %d", c.journalSize, maxJournal)
	}
	if err := c.start.validation.check(); err != nil {
		wrong = append(wrong, err)
	}
	for _, name := range c.controlHosts {
		if u, err := url.Parse("http://" + name); err != nil || u.Host != name || u.Port() != "" {
			complain("control host %q: must be a host name without a port, such as mock.example.com", name)
		}
	}
	for _, origin := range c.origins {
		if err := checkOrigin(origin); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// maxJournal is how many entries a journal may have. They take a hundred megabytes or so.
const maxJournal = 100_000

// heartbeatAnswer returns the answer to a heartbeat that asks for the next one after
// interval.
func heartbeatAnswer(interval time.Duration) nodeapi.HeartbeatResponse {
	return nodeapi.HeartbeatResponse{Success: true, NextHeartbeatMs: interval.Milliseconds()}
}
