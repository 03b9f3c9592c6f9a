package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/drift"
)

// errDrift ends the program with an exit status of its own. Pipelines can so distinguish
// drift from a failure of the mock.
var errDrift = errors.New("requests departed from the contract")

// errUpstreamDrift is errDrift of the other side.
var errUpstreamDrift = errors.New("answers of orchestratord departed from the contract")

const driftStatus = 3

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
