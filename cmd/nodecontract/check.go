package main

import (
	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts"
	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/contracts/twoway"
)

// newCheckCommand returns the command that compares a pact and the document.
func newCheckCommand() *cobra.Command {
	var c checkFlags
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
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(cli.File(&c.pact), "pact", "pact `file`, of the specifications 2 to 4")
	flags.Var(cli.File(&c.document), "document", documentUsage)
	flags.StringVar(&c.exempt, "exempt", "",
		"`file` of statuses that no interaction has to exercise, empty for none (default: those compiled in)")
	flags.Var(cli.File(&c.results), "results", "`file` with the results of the verification of a provider")
	flags.Var(&c.reports, "report", report.Usage)
	cli.Choices(command, "report", report.Formats()...)
	_ = command.MarkFlagRequired("pact") // fails only for a flag that is not there
	return command
}

// checkFlags are the flags of the command.
type checkFlags struct {
	pact, document, exempt, results string
	reports                         report.Flag
}

func (c *checkFlags) run(cmd *cobra.Command) error {
	var in twoway.Input
	var err error
	if in.Document, err = twoway.Load(cmd.Context(), c.document); err != nil {
		return err
	}
	if in.Pact, err = pactfile.Read(c.pact); err != nil {
		return err
	}
	if in.Exemptions, err = c.exemptions(cmd.Flags().Changed("exempt")); err != nil {
		return err
	}
	if c.results != "" {
		if in.Results, err = results.Read(c.results); err != nil {
			return err
		}
	}
	found := twoway.Check(in)
	return write(cmd, c.reports, found.Writers(), len(found.Findings) == 0)
}

// exemptions reads the list that the flag names, or else the one that is compiled in.
func (c *checkFlags) exemptions(named bool) (*twoway.Exemptions, error) {
	switch {
	case !named:
		return twoway.ReadExemptions("contracts/exempt.yaml", contracts.Exempt)
	case c.exempt == "":
		return nil, nil
	}
	return twoway.LoadExemptions(c.exempt)
}
