package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/breaking"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/contracts/twoway"
	"github.com/llama-orch/node-registration/internal/atomicfile"
	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/yamlwords"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/openapi/overlay"
)

// newOverlayCommand returns the command that shows how an orchestratord differs from the
// document.
func newOverlayCommand() *cobra.Command {
	var o overlayFlags
	command := &cobra.Command{
		Use:   "overlay [FILE]",
		Short: "Show how an orchestratord differs from the OpenAPI document",
		Long: `Shows the differences that an OpenAPI Overlay states, each with its reason: by default
those of the orchestratord in service. An overlay stands wherever a document does, so
that check and diff can be held against the differing orchestratord.

Exits with 2 when the overlay does not fit the document, or what it makes is not valid.`,
		Example: `  nodecontract overlay
  nodecontract overlay --write in-service.yaml --report markdown

  # what the difference means for nodes that keep to the document
  nodecontract diff --base openapi/nodes.yaml --document openapi/in-service.overlay.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.Misuse(cmd, "one overlay can be shown at a time, not %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: cli.FileArgs("yaml", "yml", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, document := openapi.InServiceOverlay, openapi.InService
			if len(args) == 1 {
				var err error
				if text, document, err = readOverlay(cmd.Context(), args[0]); err != nil {
					return err
				}
			}
			return o.run(cmd, text, document)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(cli.File(&o.write), "write", "`file` for the document with all differences applied")
	flags.Var(&o.reports, "report", report.Usage)
	cli.Choices(command, "report", report.Formats()...)
	return command
}

// overlayFlags are the flags of the command.
type overlayFlags struct {
	write   string
	reports report.Flag
}

// readOverlay reads an overlay, and the document with its differences applied.
func readOverlay(ctx context.Context, file string) (text, document []byte, err error) {
	if text, err = regularfile.ReadShort(file); err != nil {
		return nil, nil, err
	}
	if _, err = overlay.Parse(text); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, yamlwords.Plain(err))
	}
	if _, err = twoway.Load(ctx, file); err != nil {
		return nil, nil, fmt.Errorf("what the overlay makes of the document: %w", err)
	}
	source, err := breaking.ReadFile(file)
	return text, source.Data, err
}

func (o *overlayFlags) run(cmd *cobra.Command, text, document []byte) error {
	differences, err := overlay.Parse(text)
	if err != nil {
		return err
	}
	if o.write != "" {
		if o.reports.GoesTo(o.write) {
			return errors.New("--write names the file of a report: each needs its own")
		}
		if err := atomicfile.Write(o.write, document, 0o644); err != nil {
			return err
		}
	}
	return write(cmd, o.reports, table(differences).Writers(), true)
}

// table returns the differences as a table for people: where, what and why.
func table(o *overlay.Overlay) *report.Report {
	found := &report.Report{
		Title: o.Title() + ", against " + o.Extends(),
		Table: &report.Table{Columns: []string{"where", "change", "reason"}},
	}
	short := func(text string) string { return foreign.Cut(text, 56) } // for a column of a terminal
	for _, d := range o.Differences() {
		found.Table.Rows = append(found.Table.Rows, []string{short(d.Where), short(d.Change), d.Reason})
	}
	found.Summary = plural.Count(len(found.Table.Rows), "difference")
	return found
}
