// Command nodesim simulates a GPU node, or a fleet of them, against any orchestratord. It
// uses the client that pool-managerd uses.
package main

import (
	"context"
	"errors"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/cmd/internal/fleet"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a fleet whose progress nobody reads any more deregisters all the same
	cli.Main(run)
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "nodesim",
		Short: "Simulated GPU nodes",
		Long: `nodesim is a GPU node without the GPUs, or a fleet of them: it registers with an
orchestratord, sends heartbeats with the status of made-up pools, and deregisters when
it is stopped.`,
	}
	root.AddCommand(newRunCommand(), newFleetCommand(), newMergeCommand())
	return root
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := cli.Execute(ctx, newCommand(), args, stdout, stderr, errBroken)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errBroken), errors.Is(err, fleet.ErrInterrupted):
		return brokenStatus
	case errors.Is(err, errUnregistered):
		return unregisteredStatus
	default:
		return 1
	}
}
