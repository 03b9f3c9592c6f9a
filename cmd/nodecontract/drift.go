package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/contracts/breaking"
	"github.com/llama-orch/node-registration/contracts/report"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/har"
)

// newDriftCommand returns the command that holds recorded traffic to the contract.
func newDriftCommand() *cobra.Command {
	var d driftFlags
	command := &cobra.Command{
		Use:   "drift FILE.har",
		Short: "Hold recorded traffic between nodes and an orchestratord to the contract",
		Long: `Reads an HTTP archive (HAR 1.2), from the journal of the mock or any other tool,
and lists how its requests and its answers depart from the document: what
mock-orchestratord --upstream would have found. With - the archive is read from stdin.
What was not recorded whole is held to the document as far as it is there. What the
orchestratord in service would refuse is listed too, and is no drift.

Exits with 0 when both sides keep the contract, with 1 when one does not, with 2 when
the archive cannot be read or has no request of a node in it.`,
		Example: `  curl -s "$CONTROL/journal.har" >traffic.har   # of the control API of the mock
  nodecontract drift traffic.har
  nodecontract drift traffic.har --document openapi/in-service.overlay.yaml --report junit=drift.xml
  nodecontract drift traffic.har --provider-url https://gateway.test/orchestratord`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Misuse(cmd, "one archive is wanted, not %d: a file, or - for stdin", len(args))
			}
			return nil
		},
		ValidArgsFunction: cli.FileArgs("har", "json"),
		RunE:              func(cmd *cobra.Command, args []string) error { return d.run(cmd, args[0]) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(cli.File(&d.document), "document", documentUsage)
	flags.Var(cli.BaseURL(&d.providerURL), "provider-url",
		"base URL of orchestratord in the archive: other requests are passed over (default: all count, and that URL "+
			"has no path)")
	flags.DurationVar(&d.nodeTimeout, "node-timeout", mockserver.DefaultNodeTimeout,
		"silence after which that orchestratord has a node offline, and need not list it")
	flags.Var(&d.reports, "report", report.Usage)
	cli.Choices(command, "report", report.Formats()...)
	return command
}

// driftFlags are the flags of the command.
type driftFlags struct {
	document    string
	providerURL string
	nodeTimeout time.Duration
	reports     report.Flag
}

func (d *driftFlags) run(cmd *cobra.Command, name string) error {
	source, err := breaking.ReadFile(d.document)
	if err != nil {
		return err
	}
	traffic, err := readArchive(cmd.Context(), cmd.InOrStdin(), name)
	if err != nil {
		return err
	}
	if d.nodeTimeout <= 0 {
		return fmt.Errorf("--node-timeout is %s: must be above 0", d.nodeTimeout)
	}
	recorded := len(traffic.Log.Entries)
	traffic.Log.Entries = below(d.providerURL, traffic.Log.Entries)
	mock, calls, err := replay(cmd.Context(), traffic, source.Data, d.nodeTimeout)
	if err != nil {
		return fmt.Errorf("%s: %w", source.Name, err)
	}
	if calls == 0 {
		hint := "if the URL of orchestratord has a path, state it by --provider-url"
		if d.providerURL != "" {
			hint = "is --provider-url the URL of orchestratord in it?"
		}
		return fmt.Errorf("%s: none of its %s is of a node: %s", name, plural.Count(recorded, "request"), hint)
	}
	shown := findings(mock)
	shown.Title = fmt.Sprintf("%s of nodes in %s, against %s", plural.Count(calls, "call"), name, source.Name)
	return write(cmd, d.reports, shown.Writers(), shown.Kept())
}

// below returns the entries whose requests are at a base URL or below it, as if that had no path. No base
// is that of all.
func below(base string, entries []har.Entry) []har.Entry {
	where, err := url.Parse(base)
	if base == "" || err != nil { // which the flag refuses
		return entries
	}
	path := strings.TrimRight(where.EscapedPath(), "/")
	var found []har.Entry
	for _, entry := range entries {
		asked, err := url.Parse(entry.Request.URL)
		if err != nil || server(asked) != server(where) {
			continue
		}
		rest, is := strings.CutPrefix(asked.EscapedPath(), path)
		if is && (rest == "" || rest[0] == '/') {
			entry.Request.URL = server(asked) + cmp.Or(rest, "/")
			if asked.RawQuery != "" {
				entry.Request.URL += "?" + asked.RawQuery
			}
			found = append(found, entry)
		}
	}
	return found
}

// server returns the scheme, host and port of a URL.
func server(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// maxArchive is how many bytes an archive may have, which is held in memory whole.
const maxArchive = 1 << 30

// readArchive reads a file, or standard input if its name is -. It returns when ctx ends.
func readArchive(ctx context.Context, stdin io.Reader, name string) (har.File, error) {
	if name == "-" {
		return readStream(ctx, stdin)
	}
	text, err := regularfile.Read(ctx, name, maxArchive)
	if err != nil {
		return har.File{}, err
	}
	traffic, err := har.Read(bytes.NewReader(text))
	if err != nil {
		return har.File{}, fmt.Errorf("%s: %w", name, err)
	}
	return traffic, nil
}

// readStream reads an archive that somebody may never end. What waits for the end goes on in the
// background when ctx ends.
func readStream(ctx context.Context, stdin io.Reader) (har.File, error) {
	done := make(chan struct{})
	var read har.File
	var failed error
	go func() {
		defer close(done)
		read, failed = har.Read(stdin)
	}()
	select {
	case <-done:
		return read, failed
	case <-ctx.Done():
		return har.File{}, fmt.Errorf("read standard input: %w", context.Cause(ctx))
	}
}

// findings returns what was found, a suite for each side. What the orchestratord in service would refuse
// keeps the contract.
func findings(mock *mockserver.Server) *report.Report {
	sides := []struct {
		name, kept string
		found      drift.Report
		result     report.Result
	}{
		{"nodes", "keep the contract", mock.Drift(), report.Failed},
		{"orchestratord", "keep the contract", mock.UpstreamDrift(), report.Failed},
		{"refused in service", "nothing", mock.RefusedInService(), report.Pending},
	}
	shown := &report.Report{Unit: "departures"}
	var counts []string
	for _, side := range sides {
		cases := casesOf(side.name, side.found, side.result)
		counts = append(counts, side.name+": "+plural.Count(len(cases), "departure"))
		if len(cases) == 0 {
			cases = []report.Case{{Name: side.name + ": " + side.kept, Result: report.Passed}}
		}
		shown.Suites = append(shown.Suites, report.Suite{Name: side.name, Cases: cases})
	}
	shown.Summary = strings.Join(counts, "; ")
	return shown
}

// casesOf lists the departures of one side, which have the same result.
func casesOf(side string, found drift.Report, result report.Result) []report.Case {
	var cases []report.Case
	for _, entry := range found.Entries {
		cases = append(cases, report.Case{
			Name: fmt.Sprintf("%s: %s", side, entry.Departure), Result: result,
			Details: []string{fmt.Sprintf("%s, last of %s",
				plural.Count(entry.Requests, "request"), cmp.Or(entry.Last.NodeID, "no known node"))},
		})
	}
	return cases
}
