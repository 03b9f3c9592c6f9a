package mockserver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// What a server does unless an option says otherwise.
const (
	DefaultNodeTimeout       = 30 * time.Second // CLOUD-2013
	DefaultHeartbeatInterval = 10 * time.Second // CLOUD-2011
	DefaultBodyLimit         = 2 << 20          // bytes
)

// Option changes what a new Server does.
type Option func(*config)

// WithTokens makes the server answer 401 to calls that carry none of these bearer
// tokens (CLOUD-4002, CLOUD-4005). Several are valid at once, so that a token can be
// replaced while nodes still use the old one (CLOUD-4012). Given again, it adds to
// them.
func WithTokens(tokens ...string) Option {
	return func(c *config) {
		for _, token := range tokens {
			c.tokens = append(c.tokens, digestOf(token))
		}
	}
}

// WithNodeTimeout sets how long after its last heartbeat, or its registration when
// none came, a node is marked offline (CLOUD-2013). It must be longer than the
// heartbeat interval.
func WithNodeTimeout(timeout time.Duration) Option {
	return func(c *config) { c.nodeTimeout = timeout }
}

// WithHeartbeatInterval sets how often the server asks nodes for a heartbeat
// (CLOUD-2011): 1 ms to a day, of which fractions of a millisecond are not told.
func WithHeartbeatInterval(interval time.Duration) Option {
	return func(c *config) { c.heartbeatInterval = interval }
}

// WithCloudProfile switches the cloud profile on or off. While it is off, valid calls
// get 503.
func WithCloudProfile(on bool) Option {
	return func(c *config) { c.cloudProfile = on }
}

// WithLogger sets where the server logs: changes of a node at Info, its heartbeats at
// Debug, refused requests and each new departure from the contract at Warn, and the server's own faults at Error. No token is
// ever logged (CLOUD-4013). By default, and with nil, nothing is.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) { c.log = logger }
}

// WithClock sets the clock that nodes time out by. By default, and with nil, it is the
// real one.
func WithClock(clock clock.Clock) Option {
	return func(c *config) { c.clock = clock }
}

// WithBodyLimit sets how many bytes a request body may have. A longer one gets 413.
func WithBodyLimit(bytes int64) Option {
	return func(c *config) { c.bodyLimit = bytes }
}

// WithValidation sets what becomes of requests that break the document. By default it
// is Strict.
func WithValidation(mode Validation) Option {
	return func(c *config) { c.validation = mode }
}

type config struct {
	tokens            []digest
	nodeTimeout       time.Duration
	heartbeatInterval time.Duration
	cloudProfile      bool
	log               *slog.Logger
	clock             clock.Clock
	bodyLimit         int64
	validation        Validation
}

func newConfig(contract *contract, options []Option) (config, error) {
	c := config{
		nodeTimeout:       DefaultNodeTimeout,
		heartbeatInterval: DefaultHeartbeatInterval,
		cloudProfile:      true,
		bodyLimit:         DefaultBodyLimit,
		validation:        Strict,
	}
	for _, option := range options {
		option(&c)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.clock == nil {
		c.clock = clock.Real{}
	}
	return c, c.check(contract)
}

// check returns everything that is wrong with a config.
func (c config) check(contract *contract) error {
	var wrong []error
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(format, args...))
	}
	for i, token := range c.tokens {
		if token == digestOf("") {
			complain("token %d of %d is empty", i+1, len(c.tokens))
		}
	}
	if err := contract.checkInterval(c.heartbeatInterval); err != nil {
		complain("heartbeat interval %s: %w", c.heartbeatInterval, err)
	}
	if c.nodeTimeout <= c.heartbeatInterval {
		complain("node timeout %s: must be longer than the heartbeat interval %s", c.nodeTimeout, c.heartbeatInterval)
	}
	if c.bodyLimit <= 0 {
		complain("body limit %d: must be positive", c.bodyLimit)
	}
	if err := c.validation.check(); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// heartbeatAnswer returns the answer to a heartbeat that asks for the next one after
// interval.
func heartbeatAnswer(interval time.Duration) nodeapi.HeartbeatResponse {
	return nodeapi.HeartbeatResponse{Success: true, NextHeartbeatMs: interval.Milliseconds()}
}
