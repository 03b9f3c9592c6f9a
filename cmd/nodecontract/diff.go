package main

import (
	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/contracts/breaking"
)

// newDiffCommand returns the command that looks for breaking changes.
func newDiffCommand() *cobra.Command {
	var base, revised, format string
	command := &cobra.Command{
		Use:   "diff --base FILE-or-git-revision",
		Short: "Look for breaking changes of the OpenAPI document",
		Long: `Compares the OpenAPI document with an older version of it, and explains every
change that breaks those who keep to that one.

Exits with 1 when a change does, with 2 when it cannot tell.`,
		Example: `  nodecontract diff --base v0.1.0
  nodecontract diff --base openapi/released/nodes.yaml --format github`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, err := breaking.ReadBase(cmd.Context(), base, revised)
			if err != nil {
				return err
			}
			after, err := breaking.ReadFile(revised)
			if err != nil {
				return err
			}
			report, err := breaking.Compare(cmd.Context(), before, after)
			if err != nil {
				return err
			}
			return formats{
				"text":     report.WriteText,
				"json":     report.WriteJSON,
				"markdown": report.WriteMarkdown,
				"github":   report.WriteGitHub,
			}.write(cmd.OutOrStdout(), format, !report.Breaks())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&base, "base", "", "older version: a file, or a git revision of the document")
	flags.StringVar(&revised, "document", document, "OpenAPI document")
	flags.StringVar(&format, "format", "text", "text, json, markdown or github")
	_ = command.MarkFlagRequired("base") // fails only for a flag that is not there
	return command
}
