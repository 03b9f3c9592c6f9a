package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/cmd/internal/fleet"
	"github.com/llama-orch/node-registration/contracts/report"
)

// newMergeCommand returns the command that adds up the reports of several fleets.
func newMergeCommand() *cobra.Command {
	var (
		flagErr func() error
		reports report.Flag
	)
	command := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Add up the JSON reports of several fleets",
		Long: `Adds up the reports that nodesim fleet --report json has written, of fleets that ran
against one orchestratord from one machine or several, into one. Each needs a
--node-prefix of its own. Its exit status is that of nodesim fleet.`,
		Example: `  nodesim merge a.json b.json c.json`,
		Args: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return cli.Misuse(cmd, "the files of one report or more are missing")
			}
			return nil
		},
		ValidArgsFunction: cli.FileArgs("json"),
		RunE: func(cmd *cobra.Command, files []string) error {
			sum, err := fleet.Merge(cmd.Context(), files)
			if err := errors.Join(flagErr(), err); err != nil {
				return err
			}
			return conclude(cmd.OutOrStdout(), &reports, sum)
		},
	}
	command.Flags().Var(&reports, "report", report.Usage)
	flagErr = cli.CollectErrors(command.Flags())
	cli.Choices(command, "report", report.Formats()...)
	return command
}
