//go:build pact

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/broker"
	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/internal/atomicfile"
)

// The environment, by the names that nodes and Pact's own tools use.
const (
	envBrokerToken = "PACT_BROKER_TOKEN"
	envBrokerUser  = "PACT_BROKER_USERNAME"
	envBrokerPass  = "PACT_BROKER_PASSWORD"
)

// settings is what the command line and the environment state.
type settings struct {
	providerURL string
	token       string
	caCert      string
	timeout     time.Duration

	pact       string
	pactURL    string
	brokerURL  string
	brokerAuth broker.Auth
	selectors  []string
	pending    bool
	wipSince   string
	version    string
	branch     string
	buildURL   string
	publish    bool

	conform string // the level of conformance that is asked for, too; empty for none
	reports report.Flag
	results string
}

const examples = `  pact-verify --provider-url http://127.0.0.1:8080 \
      --pact contracts/pacts/pool-managerd-orchestratord.json

  # the pacts that a Pact Broker has, and their results back to it
  pact-verify --provider-url https://orchestratord.test --broker-url https://pacts.test \
      --provider-version "$(git rev-parse HEAD)" --provider-branch main --publish

  # in a GitHub workflow
  pact-verify --provider-url http://127.0.0.1:8080 --pact pact.json \
      --report text --report github --report junit=pact.xml`

func newCommand(getenv func(string) string) *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "pact-verify --provider-url URL (--pact FILE | --broker-url URL | --pact-url URL)",
		Short: "Verify that an orchestratord keeps what nodes need of it",
		Long: `pact-verify has an orchestratord answer every request of a pact, and compares what
it answers. What has to hold before a request it brings about by other calls; what
no call brings about is skipped, by name.

It registers and removes nodes of its own alone, named pact-node-… and different in
each run, and reports pools of theirs as ready: use an orchestratord that nobody's
work is on. A pact that names other nodes is refused before anything is sent.

Exits with 0 when everything that had to run ran and passed, with 1 when the
contract is broken, with 2 when something kept it from deciding, or from writing
every report.

A token comes from its flag, or else from its environment variable in brackets; the
environment does not show in the list of processes.`,
		Example: examples,
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(s.complete(cmd.Flags(), getenv), s.check()); err != nil {
				return cli.Misuse(cmd, "%w", err)
			}
			return verify(cmd.Context(), s, cmd.OutOrStdout())
		},
	}
	s.define(command.Flags())
	cli.Choices(command, "conform", string(conformance.Nodes), string(conformance.Document))
	cli.Choices(command, "report", report.Formats()...)
	return command
}

// define defines the flags, as the help groups them.
func (s *settings) define(flags *pflag.FlagSet) {
	cli.Under(flags, "Orchestratord", func(flags *pflag.FlagSet) {
		flags.Var(cli.BaseURL(&s.providerURL), "provider-url", "base URL of orchestratord")
		flags.StringVar(&s.token, "token", "", "token that orchestratord accepts ["+cli.EnvToken+
			"] (default: calls carry none)")
		flags.Var(cli.File(&s.caCert), "ca-cert", "PEM `file` of authorities to trust besides the system's")
		flags.DurationVar(&s.timeout, "timeout", 2*time.Minute, "how long all of it may take")
	})
	cli.Under(flags, "Pacts", s.pactFlags)
	cli.Under(flags, "Publishing", s.publishFlags)
	cli.Under(flags, "Checks and reports", func(flags *pflag.FlagSet) {
		flags.StringVar(&s.conform, "conform", "", "hold it to the OpenAPI document, too, at level nodes or document")
		flags.Var(&s.reports, "report", report.Usage)
		flags.Var(cli.File(&s.results), "results", "`file` to write the results to, for nodecontract check")
	})
}

func (s *settings) pactFlags(flags *pflag.FlagSet) {
	flags.Var(cli.File(&s.pact), "pact", "pact `file`, of specification 2 to 4")
	flags.Var(cli.BaseURL(&s.brokerURL), "broker-url", "Pact Broker to get the pacts from")
	flags.Var(cli.URL(&s.pactURL), "pact-url", "one pact of the Pact Broker, such as its webhooks name")
	flags.StringVar(&s.brokerAuth.Token, "broker-token", "", "token of the Pact Broker ["+envBrokerToken+"]")
	flags.StringVar(&s.brokerAuth.Username, "broker-username", "", "or the name to call it by ["+envBrokerUser+"]")
	flags.StringVar(&s.brokerAuth.Password, "broker-password", "", "and the password ["+envBrokerPass+"]")
	flags.StringArrayVar(&s.selectors, "consumer-version-selectors", nil,
		"JSON of a selector, repeat for more (default: main branches, and what is deployed or released)")
	flags.BoolVar(&s.pending, "enable-pending", false, "pacts that are pending for --provider-branch only warn")
	flags.StringVar(&s.wipSince, "include-wip-pacts-since", "",
		"work in progress since this date too, such as 2026-01-31")
}

func (s *settings) publishFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&s.publish, "publish", false, "publish the results to the Pact Broker")
	flags.StringVar(&s.version, "provider-version", "", "version of orchestratord, to publish results under")
	flags.StringVar(&s.branch, "provider-branch", "", "branch that the version is of")
	flags.Var(cli.URL(&s.buildURL), "build-url", "where the build can be looked at, to publish with results")
}

// complete takes from the environment what the command line leaves out. A token of the
// broker's there stands back behind a name on the command line, and a name behind a token. A name or a
// password that is empty on the command line leaves both of them out.
func (s *settings) complete(flags *pflag.FlagSet, getenv func(string) string) error {
	auth := &s.brokerAuth
	var err, brokerErr error
	s.token, err = cli.Token(flags, "token", cli.EnvToken, getenv)
	byToken := auth.Token != ""
	if auth.Username == "" {
		auth.Token, brokerErr = cli.Token(flags, "broker-token", envBrokerToken, getenv)
	}
	if !byToken && !cli.IsEmptied(flags, "broker-username") && !cli.IsEmptied(flags, "broker-password") {
		auth.Username = cmp.Or(auth.Username, getenv(envBrokerUser))
		auth.Password = cmp.Or(auth.Password, getenv(envBrokerPass))
	}
	return errors.Join(err, brokerErr)
}

// check returns everything that is wrong with the settings taken together.
func (s settings) check() error {
	var wrong []error
	complain := func(is bool, message string) {
		if is {
			wrong = append(wrong, errors.New(message))
		}
	}
	complain(s.providerURL == "", "--provider-url is missing")
	fromBroker := s.brokerURL != "" || s.pactURL != ""
	complain(s.pact == "" && !fromBroker, "--pact or --broker-url is missing")
	complain(s.pact != "" && s.brokerURL != "", "--pact and --broker-url are both set: choose one")
	complain(s.pact != "" && s.pactURL != "", "--pact and --pact-url are both set: choose one")
	complain(s.publish && !fromBroker, "--publish needs --broker-url")
	complain(s.publish && s.version == "", "--publish needs --provider-version")
	complain((s.pending || s.wipSince != "") && s.branch == "",
		"--enable-pending and --include-wip-pacts-since need --provider-branch")
	complain(s.wipSince != "" && !s.pending, "--include-wip-pacts-since needs --enable-pending")
	complain(s.wipSince != "" && !isDate(s.wipSince),
		fmt.Sprintf("--include-wip-pacts-since is %q: must be a date such as 2026-01-31", s.wipSince))
	complain((s.brokerAuth.Username == "") != (s.brokerAuth.Password == ""),
		"--broker-username and --broker-password: one needs the other")
	complain(s.results != "" && fromBroker, "--results needs --pact: it is about one pact")
	for _, selector := range s.selectors {
		complain(!json.Valid([]byte(selector)) || !strings.HasPrefix(selector, "{"),
			fmt.Sprintf("--consumer-version-selectors is %q: must be a JSON object", selector))
	}
	level := conformance.Level(s.conform)
	complain(level != "" && level != conformance.Nodes && level != conformance.Document,
		fmt.Sprintf("--conform is %q: must be %s or %s", level, conformance.Nodes, conformance.Document))
	complain(s.timeout <= 0, fmt.Sprintf("--timeout is %v: must be above 0", s.timeout))
	return errors.Join(append(wrong, s.checkResults())...)
}

// checkResults returns what would keep the results from being written once the work is done.
func (s settings) checkResults() error {
	if s.results == "" {
		return nil
	}
	if s.reports.GoesTo(s.results) {
		return errors.New("--results names the file of a report: each needs its own")
	}
	if _, err := atomicfile.Check(s.results); err != nil {
		return fmt.Errorf("--results: %w", err)
	}
	return nil
}

func isDate(text string) bool {
	_, dayErr := time.Parse(time.DateOnly, text)
	_, timeErr := time.Parse(time.RFC3339, text)
	return dayErr == nil || timeErr == nil
}
