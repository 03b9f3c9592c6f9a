package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/cmd/internal/fleet"
	"github.com/llama-orch/node-registration/cmd/internal/logging"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/pkg/registration"
)

const fleetHelp = `Runs many nodes in one process, each of them the real client, which share a few
connections. Their registrations are spread over the ramp; those that fail are tried
again, for a minute more. Then --for begins. After it, or on Ctrl-C, the nodes
deregister, and the report is written to stdout. Progress goes to stderr.

A node's heartbeats are due at the ticks of its grid, one interval apart. The report has:

  sent      heartbeats that were sent, including those that report a change at once
  answered  those that orchestratord took
  retried   those that it did not take, or not in time: the node tries again
  missed    ticks without a heartbeat of their own that was answered well; a tick
            that was due in the last second of the run does not count
  late      ticks answered more than 1 s after they were due (CLOUD-11002)
  latency   from when a heartbeat was due until its good answer: what the fleet, its
            machine and the network took of it counts as much as orchestratord's share

Memory is that of the process, the most it was resident, beyond what it was before
there were nodes. Orchestratord is asked for its list of nodes at the end, while all
nodes are up; those that crashed on purpose and are still down are not looked for.

Exit status: 0 when every promise was kept; 1 when the fleet could not run; 3 when

  - a node was not registered, also because the fleet was interrupted first
  - a heartbeat was missed or late
  - a node that was up is Offline, Failed or unknown to orchestratord
  - orchestratord could not be asked
  - a node was left on record`

const fleetExamples = `  # a hundred nodes against a mock on this machine, until Ctrl-C
  nodesim fleet

  # a hundred thousand for three minutes, each with a heartbeat every 10 s
  nodesim fleet --nodes 100000 --interval 10s --for 3m

  # five crashes a second, at most a tenth of the fleet down, and changes of state
  nodesim fleet --nodes 1000 --kill-rate 5 --kill-share 0.1 --change-rate 20 --for 5m

  # from two machines, added up
  nodesim fleet --node-prefix a --for 3m --report json=a.json
  nodesim fleet --node-prefix b --for 3m --report json=b.json
  nodesim merge a.json b.json`

// Defaults of the settings.
const (
	defaultNodes       = 100
	defaultConnections = 256
	defaultDown        = 45 * time.Second // long enough for orchestratord to notice
	defaultKillShare   = 0.1
)

// newFleetCommand returns the command that runs a fleet of nodes.
func newFleetCommand() *cobra.Command {
	fromEnv, _ := registration.ConfigFromEnv() // a flag may replace what is wrong
	s := fleet.Settings{Node: withDemoDefaults(fromEnv)}
	s.Node.Capabilities = fleet.MadeUp()
	var (
		flagErr func() error
		reports report.Flag
	)
	command := &cobra.Command{
		Use:     "fleet",
		Short:   "Run a fleet of nodes, and report what became of their heartbeats",
		Long:    fleetHelp,
		Example: fleetExamples,
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			envErr, linkErr := checkEnvironment(cmd.Flags()), checkLink(cmd.Flags(), &s.Node)
			if err := errors.Join(flagErr(), envErr, linkErr, cli.ByFlags(s.Validate(), flagOf)); err != nil {
				return err
			}
			if !cmd.Flags().Changed("ramp") {
				s.Ramp = s.GentleRamp()
			}
			var err error
			if s.Node.Logger, err = logging.New(cmd.ErrOrStderr(), "warn", "text"); err != nil {
				return err
			}
			result, err := fleet.Run(cmd.Context(), s, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return conclude(cmd.OutOrStdout(), &reports, result)
		},
	}
	fleetFlags(command.Flags(), &s, &reports)
	flagErr = cli.CollectErrors(command.Flags())
	cli.Choices(command, "report", report.Formats()...)
	return command
}

// fleetFlags defines the flags of the settings of a fleet, and that of its reports, as the
// help groups them.
func fleetFlags(flags *pflag.FlagSet, s *fleet.Settings, reports *report.Flag) {
	cli.Under(flags, "Fleet", func(flags *pflag.FlagSet) {
		flags.IntVar(&s.Nodes, "nodes", defaultNodes, "how many nodes")
		flags.StringVar(&s.Prefix, "node-prefix", "fleet",
			"beginning of the nodes' ids; fleets against one orchestratord need one each")
		flags.DurationVar(&s.Ramp, "ramp", 0,
			"time over which registrations are spread (default one interval, and more for over 2,000 a second)")
		flags.DurationVar(&s.Lifetime, "for", 0, "stop this long after all have registered, 0 to run until stopped")
		flags.IntVar(&s.Connections, "connections", defaultConnections, "connections that the nodes share, at most")
	})
	linkFlags(flags, &s.Node)
	cli.Under(flags, "Crashes and changes", func(flags *pflag.FlagSet) { eventFlags(flags, s) })
	cli.Under(flags, "Report", func(flags *pflag.FlagSet) {
		flags.Var(reports, "report", report.Usage)
	})
}

func eventFlags(flags *pflag.FlagSet, s *fleet.Settings) {
	flags.Float64Var(&s.KillRate, "kill-rate", 0, "nodes a second that crash, without deregistering")
	flags.Float64Var(&s.KillShare, "kill-share", defaultKillShare,
		"share of the fleet that may be down at once, 0 to 1")
	flags.DurationVar(&s.Down, "down", defaultDown, "how long a node that crashed is down before it starts again")
	flags.Float64Var(&s.ChangeRate, "change-rate", 0,
		"pools a second that change their state, which their nodes report at once")
}
