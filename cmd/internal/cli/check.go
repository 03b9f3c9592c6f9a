package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// ErrBroken ends a command that has reported a broken contract.
var ErrBroken = errors.New("the contract is broken")

// Check runs the command line of a program that checks the contract. It returns the exit status: 0 when
// all is well, 1 on ErrBroken, and 2 when the program could not decide.
func Check(ctx context.Context, command *cobra.Command, args []string, stdout, stderr io.Writer) int {
	err := Execute(ctx, command, args, stdout, stderr, ErrBroken)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrBroken):
		return 1
	default:
		return 2
	}
}
