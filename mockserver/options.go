package mockserver

import (
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// What a server does unless an option says otherwise.
const (
	DefaultNodeTimeout        = 30 * time.Second // CLOUD-2013
	DefaultHeartbeatInterval  = 10 * time.Second // CLOUD-2011
	DefaultStaleCheckInterval = 10 * time.Second
	DefaultBodyLimit          = 2 << 20   // bytes
	DefaultMaxNodes           = 1_000_000 // as many as the document lets a list have
)

// Option changes what a new Server does.
type Option func(*config)

// WithTokens makes the server answer 401 to calls that carry none of these bearer
// tokens (CLOUD-4002, CLOUD-4005). Several are valid at once, so that a token can be
// replaced while nodes still use the old one (CLOUD-4012). Given again, it adds to
// them. The document of the control API states which characters a token may have.
func WithTokens(tokens ...string) Option {
	return func(c *config) { c.given.tokens = append(c.given.tokens, tokens...) }
}

// WithNodeTimeout sets how long after its last heartbeat, or its registration when
// none came, a node is marked offline (CLOUD-2013): 2 ms to a week. It must be longer than the
// heartbeat interval, except in the dialect InService and with WithUpstream.
func WithNodeTimeout(timeout time.Duration) Option {
	return func(c *config) { c.start.NodeTimeout = timeout }
}

// WithHeartbeatInterval sets how often the server asks nodes for a heartbeat (CLOUD-2011): 1 ms
// to a day. Nodes do not see fractions of a millisecond.
func WithHeartbeatInterval(interval time.Duration) Option {
	return func(c *config) { c.start.HeartbeatInterval = interval }
}

// WithStaleCheckInterval sets how often the server looks for silent nodes in the dialect
// InService: 1 ms to a day. In the dialect Document it needs no interval.
func WithStaleCheckInterval(interval time.Duration) Option {
	return func(c *config) { c.start.StaleCheckInterval = interval }
}

// WithCloudProfile switches the cloud profile on or off. While it is off, valid calls
// get 503.
func WithCloudProfile(on bool) Option {
	return func(c *config) { c.start.CloudProfile = on }
}

// WithLogger sets where the server logs. Changes of a node are at Info, its heartbeats at
// Debug. Refused requests and each new departure from the contract are at Warn, the server's
// own faults at Error. No token is ever logged (CLOUD-4013). By default, and with nil, nothing
// is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) { c.log = logger }
}

// WithClock sets the clock that nodes time out by, which shows a time from 1970 on, and before the year
// 10000. By default, and with nil, it is one that shows real time.
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
	return func(c *config) { c.start.Validation = mode }
}

// WithDialect sets how the server behaves where orchestratords differ. By default it is Document.
func WithDialect(dialect Dialect) Option {
	return func(c *config) { c.start.Dialect = dialect }
}

// Dialect is how an orchestratord behaves where orchestratords differ.
type Dialect = control.Dialect

const (
	// Document is the dialect of the OpenAPI document. A request that the orchestratord in
	// service would refuse is taken, and RefusedInService lists it.
	Document = control.DialectDocument
	// InService is that of the orchestratord in service. It settles what is required and what
	// is not checked, the errors, and what is made of heartbeats and of silence (see
	// registry.InService). It always asks for a heartbeat every 10 s. The document is
	// openapi.InService.
	InService = control.DialectInService
)

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

// WithJournal sets how many requests and changes of nodes the server keeps: up to
// 100,000, by default journal.DefaultSize, and with 0 none. See there what memory they
// take.
func WithJournal(size int) Option {
	return func(c *config) { c.journalSize = size }
}

// WithCORS lets web pages of these origins use the server from a browser, the control API too.
// An origin is written as browsers do: scheme://host, and :port if it is not the scheme's.
// Given again, it adds to them.
//
// By default a request that a browser sends for a page of another origin gets 403. So does one
// for a page under a name that may be rebound to the server (DNS rebinding): see
// WithControlHosts. Programs may call the server by any name.
//
// With "*" every page may use what nodes use, which is unwise. Any site that is open in a
// browser can then list nodes and remove them. The control API ignores "*".
func WithCORS(origins ...string) Option {
	return func(c *config) {
		for _, origin := range origins {
			c.origins = append(c.origins, strings.ToLower(origin))
		}
	}
}

// Validation is what becomes of requests that break the document. Fields and query
// parameters that it does not name break nothing, but Drift lists them as well.
type Validation = control.Validation

const (
	// Strict refuses a request that breaks the document, with 422.
	Strict = control.ValidationStrict
	// Report takes from such a request what keeps the document. It passes over the rest, such
	// as a pool that does not say whether it is ready. A node on another version runs, and
	// Drift lists how it departs. Refused is only what cannot be read, such as a registration
	// without a node id.
	Report = control.ValidationReport
	// Off stops the server from checking requests and its own answers against the document.
	// Refused is only what the types of the document cannot hold. Nodes that registered
	// meanwhile are listed as they are, even when the server validates again.
	Off = control.ValidationOff
)
