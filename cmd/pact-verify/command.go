//go:build pact

package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
)

// The environment, by the names that nodes and Pact's own tools use.
const (
	envToken       = "LLORCH_API_TOKEN"
	envBrokerToken = "PACT_BROKER_TOKEN"
)

// settings is what the command line and the environment state.
type settings struct {
	providerURL string
	token       string
	caCert      string
	timeout     time.Duration

	pact        string
	brokerURL   string
	brokerToken string
	version     string
	branch      string
	publish     bool

	reports []string
	results string
}

func newCommand(getenv func(string) string) *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "pact-verify --provider-url URL (--pact FILE | --broker-url URL)",
		Short: "Verify that an orchestratord keeps what nodes need of it",
		Long: `pact-verify has an orchestratord answer every request of a pact, and compares what
it answers. What has to hold before a request it brings about by other calls; what
no call brings about is skipped, by name.

It registers and removes nodes named pact-node-…, and reports pools of theirs as
ready: use an orchestratord that nobody's work is on.

Exits with 0 when everything that had to run ran and passed, with 1 when the
contract is broken, with 2 when something kept it from deciding, or from telling all
that it was to tell.

A token comes from its flag, or else from its environment variable in brackets; the
environment does not show in the list of processes.`,
		Example: `  pact-verify --provider-url http://127.0.0.1:8080 --pact contracts/pacts/pool-managerd-orchestratord.json

  # the pacts that a Pact Broker has, and their results back to it
  pact-verify --provider-url https://orchestratord.test --broker-url https://pacts.test \
      --provider-version "$(git rev-parse HEAD)" --provider-branch main --publish

  # in a GitHub workflow
  pact-verify --provider-url http://127.0.0.1:8080 --pact pact.json --report human --report github --report junit=pact.xml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.token == "" {
				s.token = getenv(envToken)
			}
			if s.brokerToken == "" {
				s.brokerToken = getenv(envBrokerToken)
			}
			if err := s.check(); err != nil {
				return err
			}
			return verify(cmd.Context(), s, cmd.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&s.providerURL, "provider-url", "", "base URL of orchestratord")
	flags.StringVar(&s.token, "token", "", "token that orchestratord accepts ["+envToken+"] (default: calls carry none)")
	flags.StringVar(&s.caCert, "ca-cert", "", "PEM file of authorities to trust besides the system's")
	flags.DurationVar(&s.timeout, "timeout", 2*time.Minute, "how long all of it may take")
	flags.StringVar(&s.pact, "pact", "", "pact file, of specification 4")
	flags.StringVar(&s.brokerURL, "broker-url", "", "Pact Broker to get the pacts from")
	flags.StringVar(&s.brokerToken, "broker-token", "", "token of the Pact Broker ["+envBrokerToken+"]")
	flags.StringVar(&s.version, "provider-version", "", "version of orchestratord, to publish results under")
	flags.StringVar(&s.branch, "provider-branch", "", "branch that the version is of")
	flags.BoolVar(&s.publish, "publish", false, "publish the results to the Pact Broker")
	flags.StringArrayVar(&s.reports, "report", []string{"human"}, "human, github or junit=FILE, repeat for more")
	flags.StringVar(&s.results, "results", "", "file to write the results to, for nodecontract check")
	return command
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
	complain(s.pact == "" && s.brokerURL == "", "--pact or --broker-url is missing")
	complain(s.pact != "" && s.brokerURL != "", "--pact and --broker-url exclude each other")
	complain(s.publish && s.brokerURL == "", "--publish needs --broker-url")
	complain(s.publish && s.version == "", "--publish needs --provider-version")
	complain(s.results != "" && s.brokerURL != "", "--results needs --pact: it is about one pact")
	complain(s.timeout <= 0, "--timeout is not positive")
	_, err := parseReports(s.reports)
	return errors.Join(append(wrong, err)...)
}
