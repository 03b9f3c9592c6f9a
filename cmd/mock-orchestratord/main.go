// Command mock-orchestratord is a stateful mock of orchestratord, to test nodes against. It
// serves the API of nodes as the OpenAPI document says, injects faults, lists drift, and has
// a control API and a dashboard. It runs no work.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // nodes are served although nobody reads the log any more
	unused := tuneCollector()
	defer runtime.KeepAlive(unused)
	cli.Main(func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		return run(ctx, args, stdout, stderr, os.Getenv)
	})
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	err := cli.Execute(ctx, newCommand(getenv), args, stdout, stderr)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errDrift), errors.Is(err, errUpstreamDrift), errors.Is(err, errRefused):
		return driftStatus
	default:
		return 1
	}
}
