package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/breaking"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// parties are those whose break is a failure, by the value of the flag --fail-on.
var parties = map[string][]breaking.Party{
	"old-nodes": {breaking.OldNodes},
	"new-nodes": {breaking.NewNodes},
	"any":       {breaking.OldNodes, breaking.NewNodes},
	"all":       {breaking.OldNodes, breaking.NewNodes, breaking.Users},
	"none":      {},
}

const diffExamples = `  nodecontract diff --base v0.1.0
  nodecontract diff --base openapi/released/nodes.yaml --fail-on any --report github
  nodecontract diff --base v0.1.0 --fail-on none --report markdown=changelog.md`

// newDiffCommand returns the command that looks for breaking changes.
func newDiffCommand() *cobra.Command {
	var d diffFlags
	command := &cobra.Command{
		Use:   "diff --base FILE-or-git-revision",
		Short: "Look for breaking changes of the OpenAPI document",
		Long: `Compares the OpenAPI document with an older version of it, and says of every change
whom it breaks: old nodes before a new orchestratord, or new nodes before an old one.

Only the former is a failure unless --fail-on says otherwise: orchestratord is deployed
before its nodes. With any both are, and with all, so is the loss of something optional:
a field or a header of an answer, a way to authenticate.

A document may have several files, in its folder and below. Breaks that were agreed on
stand in a YAML file:

  - rule: request-property-became-required
    operations: [` + nodeapi.RegisterNodeMethod + ` ` + nodeapi.RegisterNodePath + `]
    what: gpu_count
    reason: no node in service leaves it out

Exits with 1 when a change breaks those whom --fail-on names, or an entry of the file
accepts nothing, with 2 when it cannot tell.`,
		Example: diffExamples,
		Args:    cli.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&d.base, "base", "", "older version: a `file`, or a git revision of the document")
	flags.Var(cli.File(&d.document), "document", documentUsage)
	flags.StringVar(&d.failOn, "fail-on", "old-nodes",
		"whose break is a failure: old-nodes, new-nodes, any, all or none")
	flags.Var(cli.File(&d.accept), "accept", "`file` of breaks that were agreed on")
	flags.Var(&d.reports, "report", report.Usage)
	cli.Choices(command, "fail-on", slices.Sorted(maps.Keys(parties))...)
	cli.Choices(command, "report", report.Formats()...)
	_ = command.MarkFlagRequired("base") // fails only for a flag that is not there
	return command
}

// diffFlags are the flags of the command.
type diffFlags struct {
	base, document, failOn, accept string
	reports                        report.Flag
}

func (d *diffFlags) run(cmd *cobra.Command) error {
	whom, known := parties[d.failOn]
	if !known {
		return fmt.Errorf("--fail-on is %q: must be old-nodes, new-nodes, any, all or none", d.failOn)
	}
	before, err := breaking.ReadBase(cmd.Context(), d.base, d.document)
	if err != nil {
		return err
	}
	after, err := breaking.ReadFile(d.document)
	if err != nil {
		return err
	}
	found, err := breaking.Compare(cmd.Context(), before, after)
	if err != nil {
		return err
	}
	if d.accept != "" {
		accepted, err := breaking.LoadAccepted(d.accept)
		if err != nil {
			return err
		}
		found.Accept(accepted)
	}
	return write(cmd, d.reports, found.Writers(whom...), !found.Breaks(whom...) && len(found.Idle) == 0)
}
