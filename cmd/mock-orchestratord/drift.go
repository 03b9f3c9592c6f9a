package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/drift"
)

// errDrift ends the program with an exit status of its own. Pipelines can so distinguish
// drift from a failure of the mock.
var errDrift = errors.New("requests departed from the contract")

// errUpstreamDrift is errDrift of the other side.
var errUpstreamDrift = errors.New("answers of orchestratord departed from the contract")

// errRefused is errDrift of requests that the orchestratord in service would refuse.
var errRefused = errors.New("the orchestratord in service would refuse requests")

const driftStatus = 3

// summarizeRefused lists what the orchestratord in service would refuse. The error says it in a
// sentence, and is nil if there is nothing.
func summarizeRefused(w io.Writer, report drift.Report) error {
	if !summarize(w, "refused by the orchestratord in service", report) {
		return nil
	}
	reasons := map[string][]string{}
	for _, entry := range report.Entries {
		reasons[entry.Operation] = append(reasons[entry.Operation], foreign.Line(entry.Pointer))
	}
	var all []string
	for _, operation := range slices.Sorted(maps.Keys(reasons)) {
		all = append(all, operation+" for "+strings.Join(reasons[operation], ", "))
	}
	return fmt.Errorf("%w: %s", errRefused, strings.Join(all, "; "))
}

// summarize lists departures of requests under a title. It reports whether there are any.
func summarize(w io.Writer, title string, report drift.Report) bool {
	if len(report.Entries) == 0 {
		return false
	}
	fmt.Fprintf(w, "%s, %s:\n", title, plural.Count(len(report.Entries), "departure"))
	for _, entry := range report.Entries {
		fmt.Fprintf(w, "  %s: %s, last of %s\n", entry.Departure, plural.Count(entry.Requests, "request"),
			cmp.Or(foreign.Line(entry.Last.NodeID), "no known node"))
	}
	if report.Dropped > 0 {
		fmt.Fprintf(w, "  and others, seen %s, that there was no room for\n", plural.Count(report.Dropped, "time"))
	}
	return true
}
