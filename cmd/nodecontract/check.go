package main

import (
	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/contracts/twoway"
)

// newCheckCommand returns the command that holds a pact and the document against
// each other.
func newCheckCommand() *cobra.Command {
	var files struct{ pact, document, exempt, results string }
	var reports report.Flag
	command := &cobra.Command{
		Use:   "check --pact FILE",
		Short: "Hold a pact and the OpenAPI document against each other",
		Long: `Checks that all that the pact says is valid by the OpenAPI document, examples and
matchers alike: a request may be nothing that the document forbids, and an answer need
be nothing that the document leaves open. A consumer may read only part of an answer.
Every status that the document declares has to be exercised by an interaction, or
exempt for a reason.

Exits with 1 when anything is wrong or left out, with 2 when it cannot tell.`,
		Example: `  nodecontract check --pact contracts/pacts/pool-managerd-orchestratord.json

  # for the summary of a CI job, with what the verification of a provider found
  nodecontract check --pact contracts/pacts/pool-managerd-orchestratord.json \
      --results verified.json --report markdown >>"$GITHUB_STEP_SUMMARY"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var in twoway.Input
			var err error
			if in.Document, err = twoway.Load(cmd.Context(), files.document); err != nil {
				return err
			}
			if in.Pact, err = pactfile.Read(files.pact); err != nil {
				return err
			}
			if files.exempt != "" {
				if in.Exemptions, err = twoway.LoadExemptions(files.exempt); err != nil {
					return err
				}
			}
			if files.results != "" {
				if in.Results, err = results.Read(files.results); err != nil {
					return err
				}
			}
			found := twoway.Check(in)
			return write(cmd, reports, found.Writers(), len(found.Findings) == 0)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&files.pact, "pact", "", "pact file, of specification 4")
	flags.StringVar(&files.document, "document", document, "OpenAPI document")
	flags.StringVar(&files.exempt, "exempt", "contracts/exempt.yaml", "statuses that no interaction has to exercise, empty for none")
	flags.StringVar(&files.results, "results", "", "results of the verification of a provider")
	flags.Var(&reports, "report", report.Usage)
	_ = command.MarkFlagRequired("pact") // fails only for a flag that is not there
	return command
}
