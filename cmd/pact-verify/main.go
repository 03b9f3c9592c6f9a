//go:build pact

// Command pact-verify verifies that an orchestratord keeps the pact of its nodes. All it
// needs is the URL. It takes the pact from a file or from a Pact Broker.
//
// Its exit status is 0 when everything that had to run ran and passed, 1 when the contract
// is broken, and 2 when it could not decide, or could not write or publish a result.
package main

import (
	"context"
	"errors"
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
	os.Exit(run(cli.Context(), os.Args[1:], out, os.Stderr, os.Getenv))
}

// errBroken ends a command that has reported a broken contract.
var errBroken = errors.New("the contract is broken")

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	err := cli.Execute(ctx, newCommand(getenv), args, stdout, stderr, errBroken)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errBroken):
		return 1
	default:
		return 2
	}
}
