package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/cmd/internal/logging"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// settings is what the command line and the environment state.
type settings struct {
	addr              string
	tokens            []string
	nodeTimeout       time.Duration
	heartbeatInterval time.Duration
	staleCheck        time.Duration
	cloudProfile      bool
	validation        string
	dialect           string
	failOnDrift       bool
	failInService     bool
	maxNodes          int
	forgetAfter       time.Duration
	journal           int
	origins           []string
	security          security
	misbehaviour      misbehaviour
	steering          steering
	front             front
	beginning         beginning
	logLevel          string
	logFormat         string
}

// commandHelp returns what the program is.
func commandHelp() string {
	return `mock-orchestratord is an orchestratord to try nodes against: they register with it,
send heartbeats and deregister. It holds requests to the OpenAPI document and says
what is wrong with one that breaks it. What it knows of nodes it forgets when it ends,
which it does on Ctrl-C, on SIGTERM and on a hang-up. Then it lists how requests departed
from the document, if any did.

Beside the calls of nodes it serves, to everyone: /docs, the API reference, with the
document at /openapi.yaml and /openapi.json; /metrics, for Prometheus; and /healthz.
A page at / shows what happens, and makes things happen. It does so through the control
API, which /docs describes too, and which web pages of other origins cannot use.

With --fault it misbehaves. These faults come with it:
` + presetsHelp() + `

A setting comes from its flag, or else from its environment variable in brackets,
or else it is the default. A variable that is empty counts as not set. Two names of one
setting may both be set if they agree.`
}

const commandExamples = `  # for every node that asks, on this machine only
  mock-orchestratord

  # on a free port, and every heartbeat in the log
  mock-orchestratord --addr 127.0.0.1:0 --log-level debug

  # for nodes with a token; the old one is still good while they change over
  mock-orchestratord --token "$NEW_TOKEN" --token "$OLD_TOKEN"

  # silent nodes go offline after 3 s
  mock-orchestratord --heartbeat-interval 1s --node-timeout 3s

  # over TLS, and nodes must show a certificate; the certificates are made
  mock-orchestratord --tls-dev --mtls

  # everything fails now and then, and gpu-node-1 is cut off
  mock-orchestratord --fault flaky --fault outage@gpu-node-1

  # as the orchestratord in service behaves
  mock-orchestratord --dialect in-service

  # with the nodes that another one has listed
  mock-orchestratord --dialect in-service --load nodes.json

  # between nodes and a real orchestratord; exit status 3 says that one of them breaks the contract
  mock-orchestratord --upstream https://orchestratord.staging:8080 --fail-on-drift

  # for a node on another version of the document; exit status 3 says that it is
  mock-orchestratord --validation report --fail-on-drift`

func newCommand(getenv func(string) string) *cobra.Command {
	var (
		s       settings
		flagErr func() error
	)
	command := &cobra.Command{
		Use:     "mock-orchestratord",
		Short:   "An orchestratord to try nodes against",
		Long:    commandHelp(),
		Example: commandExamples,
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sets, envErr := setFromEnv(cmd.Flags(), getenv)
			return s.run(cmd, sets, errors.Join(flagErr(), envErr))
		},
	}
	s.flags(command.Flags())
	logging.Flags(command, &s.logLevel, &s.logFormat)
	flagErr = cli.CollectErrors(command.Flags())
	complete(command)
	return command
}

// run serves until the context of the command ends. The error given is what is wrong with the
// flags and the environment. It is returned with all else that is wrong with the settings, and
// with which variables set which flags.
func (s *settings) run(cmd *cobra.Command, sets []string, flagErr error) error {
	log, logErr := logging.New(cmd.ErrOrStderr(), s.logLevel, s.logFormat)
	faults, faultErr := s.misbehaviour.load(cmd.Context())
	upstream, upstreamErr := s.front.load(cmd.Context(), cmd.Flags(), log)
	mock, mockErr := mockserver.New(append(append(s.options(log), mockserver.WithFaults(faults)), upstream...)...)
	if mockErr == nil {
		defer mock.Close()
	} else if mockErr = cli.ByFlags(mockErr, s.flagOf()); sets != nil {
		mockErr = fmt.Errorf("%w; %s", mockErr, strings.Join(sets, ", "))
	}
	tls, tlsErr := s.security.load(cmd.Context(), s.addr, log)
	if err := errors.Join(flagErr, logErr, faultErr, upstreamErr, mockErr, tlsErr); err != nil {
		return err
	}
	if err := s.beginning.load(cmd.Context(), mock); err != nil {
		return err
	}
	defer s.misbehaviour.follow(mock.Faults(), log)()
	s.warn(cmd.Flags(), log)
	debug.FreeOSMemory() // what reading the document has left behind
	err := serve(cmd.Context(), *s, tls, mock, log, cmd.OutOrStdout())
	drifted := s.front.summarize(cmd.ErrOrStderr(), mock)
	refused := summarizeRefused(cmd.ErrOrStderr(), mock.RefusedInService())
	if err != nil {
		return err
	}
	if !s.failOnDrift {
		drifted = nil
	}
	if !s.failInService {
		refused = nil
	}
	return errors.Join(drifted, refused)
}

// flags defines the flags, as the help groups them.
func (s *settings) flags(flags *pflag.FlagSet) {
	cli.Under(flags, "Listening", func(flags *pflag.FlagSet) {
		flags.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes a free one ["+
			envAddr+" or "+specAddr+"]")
		s.security.flags(flags)
	})
	cli.Under(flags, "Access", s.accessFlags)
	cli.Under(flags, "Nodes", s.nodeFlags)
	cli.Under(flags, "Checks and journal", s.checkAndJournalFlags)
	cli.Under(flags, "Faults", s.misbehaviour.flags)
	cli.Under(flags, "In front of an orchestratord", s.front.flags)
}

func (s *settings) accessFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&s.tokens, "token", nil,
		"bearer `token` that calls must carry; repeat for more ["+cli.EnvToken+"] (default none, calls need no token)")
	s.steering.flags(flags)
	flags.StringArrayVar(&s.origins, "cors-origin", nil,
		"`origin`, as http://localhost:5173, whose pages may use the mock from a browser; repeat for more; * lets "+
			"every page that is open in a browser do so, which is unwise")
}

func (s *settings) nodeFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&s.nodeTimeout, "node-timeout", mockserver.DefaultNodeTimeout,
		"silence after which a node is offline ["+envNodeTimeout+" or "+specNodeTimeout+"]")
	flags.DurationVar(&s.heartbeatInterval, "heartbeat-interval", mockserver.DefaultHeartbeatInterval,
		"time between heartbeats that nodes are asked to keep; always 10 s in service ["+specHeartbeatInterval+"]")
	flags.DurationVar(&s.staleCheck, "stale-check-interval", mockserver.DefaultStaleCheckInterval,
		"time between the checks for silent nodes in the dialect in-service; the other one needs none ["+envStaleCheck+
			"]")
	flags.DurationVar(&s.forgetAfter, "forget-after", 0,
		"how long a node is offline before it is forgotten as if it had deregistered; 0 forgets none")
	flags.IntVar(&s.maxNodes, "max-nodes", mockserver.DefaultMaxNodes,
		"how many nodes may be registered; another one gets 503; what they say of themselves may fill half of "+
			"GOMEMLIMIT, or 2 GiB without it, and more of it gets 503 too")
	flags.BoolVar(&s.cloudProfile, "cloud-profile", true, "serve calls; switched off, they get 503 ["+envCloudProfile+
		", where anything but true is off]")
	flags.StringVar(&s.dialect, "dialect", string(mockserver.Document),
		"`dialect` to speak where orchestratords differ: document, as the document says, or in-service, as the one in "+
			"service does")
	s.beginning.flags(flags)
}

func (s *settings) checkAndJournalFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.validation, "validation", string(mockserver.Strict),
		"`mode` of the checks: strict refuses what breaks the document, report accepts it as far as it can be read, "+
			"off checks nothing")
	flags.BoolVar(&s.failOnDrift, "fail-on-drift", false,
		"exit with status 3 if a request departed from the document, be it by its path, a header or a field that it "+
			"does not name; with --upstream, also if an answer did")
	flags.BoolVar(&s.failInService, "fail-on-refused-in-service", false,
		"exit with status 3 if a request was accepted that the orchestratord in service would refuse")
	flags.IntVar(&s.journal, "journal", journal.DefaultSize,
		"how many requests and changes of nodes to keep in the journal; 0 keeps none")
}

// complete says what the shell completes the values of flags to.
func complete(command *cobra.Command) {
	cli.Choices(command, "fault", slices.Sorted(maps.Keys(faults.Presets()))...)
	cli.Choices(command, "dialect", string(mockserver.Document), string(mockserver.InService))
	cli.Choices(command, "validation", string(mockserver.Strict), string(mockserver.Report), string(mockserver.Off))
}

func (s settings) options(log *slog.Logger) []mockserver.Option {
	return append(s.steering.options(s.addr),
		mockserver.WithTokens(s.tokens...),
		mockserver.WithNodeTimeout(s.nodeTimeout),
		mockserver.WithHeartbeatInterval(s.heartbeatInterval),
		mockserver.WithStaleCheckInterval(s.staleCheck),
		mockserver.WithCloudProfile(s.cloudProfile),
		mockserver.WithDialect(mockserver.Dialect(s.dialect)),
		mockserver.WithValidation(mockserver.Validation(s.validation)),
		mockserver.WithMaxNodes(s.maxNodes),
		mockserver.WithForgetAfter(s.forgetAfter),
		mockserver.WithJournal(s.journal),
		mockserver.WithCORS(s.origins...),
		mockserver.WithLogger(log),
	)
}

// warn logs what is legal but unwise (CLOUD-4010), or in vain.
func (s settings) warn(flags *pflag.FlagSet, log *slog.Logger) {
	if flags.Changed("heartbeat-interval") && s.dialect == string(mockserver.InService) {
		log.Warn("the heartbeat interval has no effect", "dialect", s.dialect, "interval", "10s")
	}
	for i, token := range s.tokens {
		if len(token) < safeTokenBytes {
			log.Warn("token is short and could be guessed", "token", i+1, "of", len(s.tokens), "safe_bytes",
				safeTokenBytes)
		}
	}
	if token := s.steering.token; token != "" && len(token) < safeTokenBytes {
		log.Warn("control token is short and could be guessed", "safe_bytes", safeTokenBytes)
	}
}

// safeTokenBytes is the length from which on a random token cannot be guessed.
const safeTokenBytes = 32
