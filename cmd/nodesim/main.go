// Command nodesim is a GPU node without the GPUs: it lives the life of a node
// against any orchestratord, with the client that pool-managerd uses.
package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/internal/cli"
)

func main() { cli.Main(run) }

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "nodesim",
		Short: "A simulated GPU node",
		Long: `nodesim is a GPU node without the GPUs: it registers with an orchestratord, sends
heartbeats with the status of made-up pools, and deregisters when it is stopped.`,
	}
	root.AddCommand(newRunCommand())
	if cli.Execute(ctx, root, args, stdout, stderr) != nil {
		return 1
	}
	return 0
}
