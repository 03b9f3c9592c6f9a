// Package conformance tests whether an orchestratord keeps the contract. All it needs is a
// URL. It derives requests and expected answers from the OpenAPI document and from a model
// of the registry, and needs no Pact library.
//
//	report, err := conformance.Run(ctx, conformance.Options{
//		URL:   "http://192.168.1.1:8080",
//		Token: os.Getenv("LLORCH_API_TOKEN"),
//	})
//	if err != nil {
//		return err // it could not be decided
//	}
//	fmt.Println(report.Summary())
//
// A run registers nodes of its own, with conform-… in their names, reports their pools as ready, and
// removes them in the end. Run it only against an orchestratord without real work, since
// that could be placed on these nodes.
package conformance

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/plural"
)

// DefaultTime is how long a run may take.
const DefaultTime = 2 * time.Minute

// Options say which orchestratord is asked, and how.
type Options struct {
	// URL is the base URL of orchestratord, http or https.
	URL string
	// Token is a token that orchestratord accepts. Empty means that it needs none.
	Token string
	// Document is the OpenAPI document, as YAML, that orchestratord is held to: openapi.Nodes, or
	// that with the differences of an overlay. Empty means openapi.Nodes.
	Document []byte
	// TLS is the configuration for an https URL. Nil trusts the system's authorities.
	TLS *tls.Config
	// Dial opens a connection to orchestratord, for one that is reached in a way of its own.
	// Nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Level is how much of the document orchestratord has to keep; empty means Nodes.
	Level Level
	// Seed seeds the random choices. The same seed makes the same calls, but for the
	// names of nodes.
	Seed uint64
	// Time is how long the whole run may take, the removal of its nodes included; zero means
	// DefaultTime.
	Time time.Duration
	// Only are the names of the checks that run; none means all.
	Only []string
	// NodeTimeout is the silence after which orchestratord marks a node offline. The run waits for
	// that, and needs up to 12 s more than NodeTimeout for it. Zero means that the run does not test
	// it. It only waits out an interval that the usual timeout of 30 s (CLOUD-2013) does not allow.
	NodeTimeout time.Duration
	// Picture is the HTML file for a picture of calls that contradict each other. Empty
	// means that none is written.
	Picture string
	// FirstOnly ends the run at the first finding that counts.
	FirstOnly bool
}

// paceCheck is the name of the check of response times. It times the calls of the other checks too, even if
// those did not finish.
const paceCheck = "pace"

// check is a part of a run.
type check struct {
	name string
	does string
	run  func(ctx context.Context, s *session)
}

// checks are all parts of a run, in order.
func checks() []check {
	return []check{
		{"examples", "the document's examples", sendExamples},
		{"lives", "what happens to nodes in their lives, and the list after each step", walkLives},
		{"tokens", "each form of a wrong token on each operation", tryTokens},
		{"coverage", "each field's bounds, and what may be left out", tryBounds},
		{"negative", "each rule broken once", sendBroken},
		{"transport", "connections and headers", tryConnections},
		{"state", "sequences drawn from the seed, with several nodes and with many", walkStates},
		{"concurrency", "several callers with the same nodes at once", callAtOnce},
		{"silence", "a silent node goes offline", awaitSilence},
		{"node", "a real node comes and goes", runNode},
		{paceCheck, "how long heartbeats and registrations take", comparePaces},
	}
}

// Names returns the names of all checks.
func Names() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

// Run tests an orchestratord until ctx ends or the time is up. The report says whether the
// contract is kept. Run returns an error if it could not decide: the options or the document are
// wrong, nobody answers, or it ended early without a finding. A run that ended early with findings
// is decided.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.Level, o.Time = cmp.Or(o.Level, Nodes), cmp.Or(o.Time, DefaultTime)
	if err := o.check(); err != nil {
		return nil, err
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	defer r.prober.close()
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, o.Time-o.cleanupTime(),
		fmt.Errorf("the time of %v %w", o.Time, errTime))
	defer cancel()
	if err := r.probe(ctx); err != nil {
		return nil, err
	}
	for _, c := range checks() {
		if r.selected(c.name) {
			r.perform(ctx, c)
		}
	}
	why := r.reason()
	if why == nil && ctx.Err() != nil {
		why = context.Cause(ctx)
	}
	r.cleanup(ctx) // its time is beyond that of ctx
	r.report.Duration = time.Since(began)
	return r.end(why)
}

// cleanupTime is how much of the time is left for the removal of the run's nodes.
func (o Options) cleanupTime() time.Duration { return min(cleanupTimeout, o.Time/4) }

// check returns what is wrong with the options.
func (o Options) check() error {
	var wrong []error
	if o.Level != Nodes && o.Level != Document {
		wrong = append(wrong, fmt.Errorf("unknown level %q: there are %s and %s", o.Level, Nodes, Document))
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			wrong = append(wrong, fmt.Errorf("unknown check %q: there are %s", name, strings.Join(Names(), ", ")))
		}
	}
	if o.Time < 0 {
		wrong = append(wrong, fmt.Errorf("time is %v, which is negative", o.Time))
	}
	if o.NodeTimeout < 0 {
		wrong = append(wrong, fmt.Errorf("node timeout is %v, which is negative", o.NodeTimeout))
	}
	return errors.Join(wrong...)
}

// selected reports whether a check is to run.
func (r *run) selected(name string) bool {
	return len(r.options.Only) == 0 || slices.Contains(r.options.Only, name)
}

// perform runs one check.
func (r *run) perform(ctx context.Context, c check) {
	stopped := r.reason() != nil
	if stopped && c.name != paceCheck {
		return
	}
	before, began := r.prober.calls.Load(), time.Now()
	s := r.session(c.name)
	c.run(ctx, s)
	if c.name != paceCheck {
		s.meetElder(ctx)
	}
	s.reportEndings()
	switch {
	case c.name == paceCheck:
		c.does = r.describePace()
	case s.doubt != "":
		c.does += " (" + s.doubt + ")"
	}
	done := Check{Name: c.name, Does: c.does, Calls: int(r.prober.calls.Load() - before), Duration: time.Since(began)}
	if why := r.reason(); why != nil && !stopped && !errors.Is(why, errEnough) {
		done.Unfinished = why.Error()
	}
	if done.Unfinished == "" && c.name == "silence" && r.options.NodeTimeout == 0 {
		done.skipped, done.Unfinished = true, "it needs the node timeout: --node-timeout 30s, for example"
	}
	r.report.Checks = append(r.report.Checks, done)
}

// end returns the report, or why there is none. Why is what ended the checks early, nil if
// nothing did.
func (r *run) end(why error) (*Report, error) {
	r.report.settle()
	if n := len(r.nodes); n > 0 {
		r.report.left = plural.Count(n, "node") + " may still be registered, with " + r.prefix + " in the name"
	}
	switch {
	case errors.Is(why, errEnough):
		return r.report, nil
	case errors.Is(why, errTime):
		why = r.explainTime(why)
	case why == nil && r.report.Conforms():
		why = r.undone()
	}
	switch {
	case why == nil:
		return r.report, nil
	case !r.report.Conforms():
		r.report.Stopped = why.Error()
		return r.report, nil
	case r.report.left != "":
		why = fmt.Errorf("%w; %s", why, r.report.left)
	}
	return nil, why
}

// undone returns why a run in which nothing was found has decided nothing.
func (r *run) undone() error {
	calls := 0
	var skipped []string
	for _, c := range r.report.Checks {
		calls += c.Calls
		if c.skipped {
			skipped = append(skipped, c.Name+" was skipped, as "+c.Unfinished)
		}
	}
	switch {
	case len(skipped) == len(r.report.Checks):
		return fmt.Errorf("no check was made: %s", strings.Join(skipped, "; "))
	case calls == 0:
		return errors.New("no call was made, so nothing is decided")
	}
	return nil
}

// explainTime says what the time went into.
func (r *run) explainTime(why error) error {
	unfinished := slices.IndexFunc(r.report.Checks, func(c Check) bool { return c.Unfinished != "" && !c.skipped })
	calls := r.prober.calls.Load()
	if unfinished < 0 || calls == 0 {
		return why
	}
	each := time.Duration(r.prober.spent.Load() / calls).Round(time.Millisecond)
	throttled := ""
	if n := r.throttled.Load(); n > 0 {
		waited := time.Duration(r.waited.Load()).Round(time.Second)
		throttled = fmt.Sprintf(", %s got 429 and waited %v in all", plural.Count(int(n), "call"), waited)
	}
	return fmt.Errorf("%w; %s took %v each%s, and the check %s is unfinished",
		why, plural.Count(int(calls), "call"), each, throttled, r.report.Checks[unfinished].Name)
}
