//go:build pact

// Command pact-verify verifies that an orchestratord keeps the pact of its nodes. All it
// needs is the URL. It takes the pact from a file or from a Pact Broker.
//
// Its exit status is 0 when everything that had to run ran and passed, and 1 when the contract
// is broken. It is 2 when the program could not decide, or could not write or publish a
// result.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/internal/stdout"
)

func main() {
	out, err := stdout.Take()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pact-verify:", err)
		os.Exit(2)
	}
	cli.Main(func(ctx context.Context, args []string, _, stderr io.Writer) int {
		return run(ctx, args, out, stderr, os.Getenv)
	})
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	return cli.Check(ctx, newCommand(getenv), args, stdout, stderr)
}
