// Command nodesim is a GPU node without the GPUs: it lives the life of a node
// against any orchestratord, with the client that pool-managerd uses.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process the hard way
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "nodesim",
		Short:         "A simulated GPU node",
		Long:          "nodesim is a GPU node without the GPUs: it registers with an orchestratord, sends\nheartbeats with the status of made-up pools, and deregisters when it is stopped.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "nodesim:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}
