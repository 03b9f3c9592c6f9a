package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/cmd/internal/fleet"
	"github.com/llama-orch/node-registration/cmd/internal/logging"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// version is what simulated nodes say of their software.
const version = "0.1.0"

const runHelp = `Registers one node with orchestratord, sends heartbeats with the status of its
pools, and deregisters on Ctrl-C, on SIGTERM, or after --for. It survives what a
real node survives: an orchestratord that is away, slow, or has forgotten it.

Defaults come from the environment of a real node where it is set.

Exit status: 0 when the node was registered and has left; 4 when it never was registered,
for as long as it had; 1 when it was refused, could not deregister, or could not run.`

const runExamples = `  # one node against a mock on this machine, until Ctrl-C
  nodesim run

  # a second one with two pools and a heartbeat every 2 s, for a minute
  nodesim run --node-id gpu-node-2 --pool pool-0 --pool pool-1 --interval 2s --for 1m

  # what this machine has, such as its GPUs
  nodesim run --detect

  # every single heartbeat in the log
  nodesim run --log-level debug`

// runSettings says which node nodesim run is. Its flags are the fields of a node's Config.
type runSettings struct {
	config   registration.Config
	detect   bool
	lifetime time.Duration
	logLevel string
	logStyle string
}

// newRunCommand returns the command that runs one node. What the environment states is the
// default of its flags.
func newRunCommand() *cobra.Command {
	fromEnv, _ := registration.ConfigFromEnv() // a flag may replace what is wrong
	s := runSettings{config: withDemoDefaults(fromEnv)}
	var flagErr func() error
	command := &cobra.Command{
		Use:     "run",
		Short:   "Register one node, send its heartbeats, deregister when stopped",
		Long:    runHelp,
		Example: runExamples,
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd, errors.Join(flagErr(), checkEnvironment(cmd.Flags())))
		},
	}
	s.flags(command.Flags())
	logging.Flags(command, &s.logLevel, &s.logStyle)
	flagErr = cli.CollectErrors(command.Flags())
	return command
}

// run is the node's life. The error given is what is wrong with the flags and the environment:
// it is returned with all else that is wrong with the settings.
func (s *runSettings) run(cmd *cobra.Command, flagErr error) error {
	logger, logErr := logging.New(cmd.ErrOrStderr(), s.logLevel, s.logStyle)
	s.config.Logger = logger
	s.config.Capabilities = fleet.MadeUp()
	if s.detect && logErr == nil {
		s.config.Capabilities = detected(cmd.Context(), logger)
	}
	load := fleet.NewLoad(s.config.Pools, s.config.Capabilities)
	var last atomic.Pointer[registration.Event] // that failed
	s.config.OnEvent = func(e registration.Event) {
		if e.Err != nil {
			last.Store(&e)
		}
	}
	if s.lifetime < 0 {
		flagErr = errors.Join(flagErr, fmt.Errorf("--for is %v, which is negative", s.lifetime))
	}
	linkErr := checkLink(cmd.Flags(), &s.config)
	node, nodeErr := registration.New(s.config)
	if err := errors.Join(flagErr, logErr, linkErr, cli.ByFlags(nodeErr, flagOf)); err != nil {
		return err
	}
	err := live(cmd.Context(), node, load, s.lifetime)
	if s.config.Standalone {
		return err
	}
	return registered(node, last.Load(), err)
}

// flags defines the flags, as the help groups them.
func (s *runSettings) flags(flags *pflag.FlagSet) {
	cli.Under(flags, "Node", s.nodeFlags)
	linkFlags(flags, &s.config)
	cli.Under(flags, "End", func(flags *pflag.FlagSet) {
		flags.DurationVar(&s.lifetime, "for", 0, "stop after this long, 0 to run until stopped")
		flags.DurationVar(&s.config.ShutdownTimeout, "shutdown-timeout", registration.DefaultShutdownTimeout,
			"time that the node has to deregister")
	})
}

func (s *runSettings) nodeFlags(flags *pflag.FlagSet) {
	c := &s.config
	flags.StringVar(&c.NodeID, "node-id", c.NodeID, "id of the node ["+registration.EnvNodeID+"]")
	flags.StringVar(&c.MachineID, "machine-id", c.MachineID, "id of its machine ["+registration.EnvMachineID+"]")
	flags.StringVar(&c.Address, "address", c.Address, "base URL at which orchestratord would reach the node ["+
		registration.EnvAddress+"]")
	flags.StringArrayVar(&c.Pools, "pool", c.Pools, "id of a pool; repeat for more ["+registration.EnvPools+"]")
	flags.BoolVar(&s.detect, "detect", false,
		"register with the GPUs, cores and memory of this machine instead of made-up ones")
}

// withDemoDefaults fills in what the environment does not state with the node of
// the documentation, against an orchestratord on this machine.
func withDemoDefaults(c registration.Config) registration.Config {
	if os.Getenv(registration.EnvNodeID) == "" { // the host's name is no name of a simulated node
		c.NodeID, c.MachineID = "", os.Getenv(registration.EnvMachineID)
	}
	for field, value := range map[*string]string{
		&c.OrchestratordURL: "http://127.0.0.1:8080",
		&c.NodeID:           "gpu-node-1",
		&c.MachineID:        "machine-alpha",
		&c.Address:          "http://127.0.0.1:9200",
	} {
		if *field == "" {
			*field = value
		}
	}
	if len(c.Pools) == 0 {
		c.Pools = []string{"pool-0"}
	}
	c.Version = version
	return c
}

// live runs the node until ctx ends or its lifetime is over.
func live(ctx context.Context, node *registration.Node, load *fleet.Load, lifetime time.Duration) error {
	if lifetime > 0 {
		limited, cancel := context.WithTimeout(ctx, lifetime)
		defer cancel()
		ctx = limited
	}
	return node.Run(ctx, load.Status)
}

// errUnregistered ends the run of a node that was never registered, and was not refused.
var errUnregistered = errors.New("the node was never registered")

// unregisteredStatus is the exit status of a node that never was registered.
const unregisteredStatus = 4

// registered returns how a node's life ended, given its last failure and how its Run did.
func registered(node *registration.Node, last *registration.Event, err error) error {
	if node.Status().Registrations > 0 || errors.Is(err, registration.ErrRefused) ||
		errors.Is(err, registration.ErrUnauthorized) {
		return err
	}
	if last != nil {
		err = cmp.Or(err, last.Err)
	}
	if err == nil {
		return errUnregistered
	}
	return fmt.Errorf("%w: %w", errUnregistered, err)
}
