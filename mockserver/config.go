package mockserver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// config is what the options say.
type config struct {
	given          secrets
	start          settings.Settings // which the control API changes
	log            *slog.Logger
	clock          *clock.Clock
	bodyLimit      int64
	maxNodes       int
	forgetAfter    time.Duration
	journalSize    int
	controlToken   []settings.Digest // one or none
	controlHosts   []string
	uncontrolled   bool
	origins        []string // see WithCORS
	upstreamOption *Upstream
	upstream       *upstream.Upstream // what that is; nil without one

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
		start: settings.Settings{
			NodeTimeout:        DefaultNodeTimeout,
			HeartbeatInterval:  DefaultHeartbeatInterval,
			StaleCheckInterval: DefaultStaleCheckInterval,
			CloudProfile:       true,
			Dialect:            Document,
			Validation:         Strict,
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
	err := errors.Join(c.standInFront(), c.checkTokens(), c.check(), c.faults.Load(c.startFaults))
	c.seal()
	return c, err
}

// standInFront has another orchestratord answer, if that is an option. It returns what is wrong
// with it, and which options make no sense then.
func (c *config) standInFront() error {
	if c.upstreamOption == nil {
		return nil
	}
	where, err := c.upstreamOption.load()
	wrong := []error{err}
	if len(c.given.tokens) > 0 {
		wrong = append(wrong, errors.New("tokens of nodes: are for the orchestratord of the upstream to check"))
	}
	if !c.start.CloudProfile {
		wrong = append(wrong, errors.New("cloud profile: is for the orchestratord of the upstream to switch off"))
	}
	if text := c.upstreamOption.Document; text != nil {
		c.start.Document, err = spec.Load(text)
		wrong = append(wrong, err)
	}
	c.upstream, c.start.InFront = where, true
	if Validation(c.start.Validation) == Strict { // nothing is refused
		c.start.Validation = Report
	}
	c.faults.StandInFront()
	return errors.Join(wrong...)
}

// seal puts digests in place of the tokens.
func (c *config) seal() {
	for _, token := range c.given.tokens {
		c.start.Tokens = append(c.start.Tokens, settings.DigestOf(token))
	}
	if c.given.controlToken != "" {
		c.controlToken = []settings.Digest{settings.DigestOf(c.given.controlToken)}
	}
	c.given = secrets{}
}

// checkTokens returns everything that is wrong with the tokens, and repeats none of them
// (CLOUD-4013).
func (c config) checkTokens() error {
	var wrong []error
	check := func(what, token string) {
		if err := settings.CheckToken(token); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", what, err))
		}
	}
	if err := settings.CheckTokens(c.given.tokens); err != nil {
		wrong = append(wrong, fmt.Errorf("tokens: %w", err))
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

// check returns everything else that is wrong with a config.
func (c config) check() error {
	wrong := []error{c.start.CheckTimes()}
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(format, args...))
	}
	now := c.clock.Now().UTC()
	if err := settings.CheckTime(now); err != nil {
		complain("clock at %s: %w", now.Format(time.RFC3339), err)
	}
	if c.bodyLimit <= 0 {
		complain("body limit %d: must be positive", c.bodyLimit)
	}
	if most := spec.Nodes().MaxNodes; c.maxNodes < 1 || c.maxNodes > most {
		complain("max nodes %d: must be 1 to %d, which is what a list of them may have", c.maxNodes, most)
	}
	if c.forgetAfter < 0 {
		complain("forget after %s: must be 0 or more", c.forgetAfter)
	}
	if c.journalSize < 0 || c.journalSize > maxJournal {
		complain("journal %d: must be 0 to %d", c.journalSize, maxJournal)
	}
	return errors.Join(append(wrong, c.start.CheckModes(), c.checkNames())...)
}

// checkNames returns what is wrong with the hosts and origins of a config.
func (c config) checkNames() error {
	var wrong []error
	for _, name := range c.controlHosts {
		wrong = append(wrong, exchange.CheckHost(name))
	}
	for _, origin := range c.origins {
		wrong = append(wrong, exchange.CheckOrigin(origin))
	}
	return errors.Join(wrong...)
}

// maxJournal is how many entries a journal may have. They take a hundred megabytes or so.
const maxJournal = 100_000
