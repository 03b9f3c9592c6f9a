package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/internal/cli"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

// newMergeCommand returns the command that adds up the reports of several fleets.
func newMergeCommand() *cobra.Command {
	var (
		flagErr func() error
		format  string
	)
	command := &cobra.Command{
		Use:   "merge report.json ...",
		Short: "Add up the JSON reports of several fleets",
		Long: `Adds up the reports that nodesim fleet --report json has written, of fleets that ran
against one orchestratord from one machine or several, into one. Each needs a
--node-prefix of its own. Its exit status is that of nodesim fleet.`,
		Example: `  nodesim merge a.json b.json c.json`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			write, formatErr := writerOf(format)
			sum, err := readReports(cmd.Context(), files)
			if err := errors.Join(flagErr(), formatErr, err); err != nil {
				return err
			}
			return write.conclude(cmd.OutOrStdout(), sum)
		},
	}
	command.Flags().StringVar(&format, "report", "text", "text or json")
	flagErr = cli.CollectErrors(command.Flags())
	return command
}

// readReports returns the sum of the reports in files. The error names every file that cannot
// be added.
func readReports(ctx context.Context, files []string) (*report, error) {
	sum := &report{tally: newTally()}
	var wrong []error
	for _, file := range files {
		r, err := readReport(ctx, file)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if err := sum.add(r); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
		}
	}
	return sum, errors.Join(wrong...)
}

// maxReport is far more than any report is long.
const maxReport = 64 << 20

func readReport(ctx context.Context, file string) (*report, error) {
	content, err := regularfile.Read(ctx, file, maxReport)
	if err != nil {
		return nil, err
	}
	r := &report{tally: newTally()}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(r.Fleets) == 0 {
		return nil, fmt.Errorf("%s: not a report of nodesim fleet", file)
	}
	return r, nil
}
