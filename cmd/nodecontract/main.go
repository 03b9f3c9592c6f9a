// Command nodecontract checks in CI that the contract is kept. It checks that:
//
//   - an orchestratord does what the OpenAPI document says (conform),
//   - the pact and the document agree (check),
//   - recorded traffic keeps the document, on both sides (drift),
//   - a new version of the document does not break users of the one before (diff).
//
// It also shows how the orchestratord in service differs from the document (overlay).
//
// Its exit status is 0 when all is well, 1 when it is not, and 2 when it could not decide.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/report"
)

func main() { cli.Main(run) }

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "nodecontract",
		Short: "Checks of the contract between GPU nodes and orchestratord",
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.ErrOrStderr(), cmd.UsageString())
			return errors.New("no command is given, so nothing was checked")
		},
	}
	root.AddCommand(newCheckCommand(), newDiffCommand(), newConformCommand(), newDriftCommand(), newOverlayCommand())
	return root
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Check(ctx, newCommand(), args, stdout, stderr)
}

// documentUsage is the help text of the flag --document.
const documentUsage = "`file` with the OpenAPI document, or an overlay on one (default: the one compiled in)"

// write writes a report, and returns cli.ErrBroken where the contract is not kept.
func write(cmd *cobra.Command, reports report.Flag, writers report.Writers, kept bool) error {
	if err := reports.Write(cmd.OutOrStdout(), writers); err != nil {
		return err
	}
	if !kept {
		return cli.ErrBroken
	}
	return nil
}
