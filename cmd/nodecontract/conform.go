package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/breaking"
	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/report"
)

// newConformCommand returns the command that tests an orchestratord, given its URL.
func newConformCommand() *cobra.Command {
	var s conformSettings
	command := &cobra.Command{
		Use:   "conform --provider-url URL",
		Short: "Ask any orchestratord by its URL whether it keeps the contract",
		Long: `Asks an orchestratord, by its URL alone, whether it does what nodes need. The calls are
made from the OpenAPI document: its examples, each field at its bounds and beyond, each
form of a wrong token. A model of the registry walks through sequences with several
nodes, and the list is held against it after each step.

It registers and removes nodes with conform-… in their names, and reports their pools as ready:
use an orchestratord that nobody's work is on. It removes them on Ctrl-C, too.

Level nodes is what a node depends on, and an error may have any body. Level document is
all of the document.

Exits with 0 when the contract is kept, with 1 when it is broken, with 2 when something
kept it from deciding.`,
		Example: `  nodecontract conform --provider-url http://127.0.0.1:8080

  # that a silent node goes offline, too; for a CI job
  nodecontract conform --provider-url http://127.0.0.1:8080 --node-timeout 30s \
      --report text --report junit=conformance.xml`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				s.Seed = uint64(rand.Uint32())
			}
			return s.conform(cmd)
		},
	}
	s.define(command.Flags())
	cli.Choices(command, "level", string(conformance.Nodes), string(conformance.Document))
	cli.Choices(command, "only", conformance.Names()...)
	cli.Choices(command, "report", report.Formats()...)
	_ = command.MarkFlagRequired("provider-url") // fails only for a flag that is not there
	return command
}

// conformSettings is what the command line states.
type conformSettings struct {
	conformance.Options
	caCert   string
	document string
	coverage bool
	reports  report.Flag
}

// define defines the flags.
func (s *conformSettings) define(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.Var(cli.BaseURL(&s.URL), "provider-url", "base URL of orchestratord")
	flags.StringVar(&s.Token, "token", "", "token that orchestratord accepts ["+cli.EnvToken+
		"] (default: calls carry none)")
	flags.Var(cli.File(&s.caCert), "ca-cert", "PEM `file` of authorities to trust besides the system's")
	flags.Var(cli.File(&s.document), "document", documentUsage)
	flags.StringVar((*string)(&s.Level), "level", string(conformance.Nodes), "what to hold it to: nodes or document")
	flags.Uint64Var(&s.Seed, "seed", 0, "the same seed makes the same calls (default: another each time)")
	flags.DurationVar(&s.Time, "time", conformance.DefaultTime, "how long all of it may take")
	flags.StringSliceVar(&s.Only, "only", nil, "checks to run: "+strings.Join(conformance.Names(), ", ")+
		" (default: all)")
	flags.DurationVar(&s.NodeTimeout, "node-timeout", 0,
		"wait for a node silent so long to be offline (default: do not)")
	flags.StringVar(&s.Picture, "picture", "conformance.html",
		"`file` for a picture of calls that contradict each other")
	flags.BoolVar(&s.coverage, "coverage", false, "show the rules that were tried, by field")
	flags.Var(&s.reports, "report", report.Usage)
}

// conform tests an orchestratord and writes the reports. It returns cli.ErrBroken if the contract
// is broken.
func (s *conformSettings) conform(cmd *cobra.Command) error {
	var err error
	if s.Token, err = cli.Token(cmd.Flags(), "token", cli.EnvToken, os.Getenv); err != nil {
		return err
	}
	if s.Picture != "" && s.reports.GoesTo(s.Picture) {
		return errors.New("--picture names the file of a report: each needs its own")
	}
	if s.TLS, err = cli.Trust(s.caCert); err != nil {
		return err
	}
	document, err := breaking.ReadFile(s.document)
	if err != nil {
		return err
	}
	s.Document = document.Data
	found, err := conformance.Run(cmd.Context(), s.Options)
	if err != nil && strings.HasPrefix(err.Error(), "read the OpenAPI document: ") {
		return fmt.Errorf("%s: %w", document.Name, err)
	}
	if err != nil {
		return err
	}
	return write(cmd, s.reports, found.Report(s.coverage).Writers(), found.Conforms())
}
