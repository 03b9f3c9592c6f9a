package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/llama-orch/node-registration/cmd/internal/fleet"
)

// errBroken ends a command that has reported a broken promise.
var errBroken = errors.New("a promise was broken")

// brokenStatus is the exit status after a broken promise.
const brokenStatus = 3

// reportWriter writes a report in one format.
type reportWriter func(*fleet.Report, io.Writer) error

// writerOf returns the writer of a format.
func writerOf(format string) (reportWriter, error) {
	switch format {
	case "text":
		return (*fleet.Report).WriteText, nil
	case "json":
		return (*fleet.Report).WriteJSON, nil
	}
	return nil, fmt.Errorf("--report is %q: must be text or json", format)
}

// conclude writes a report, and returns errBroken if a promise was broken.
func (write reportWriter) conclude(w io.Writer, r *fleet.Report) error {
	if err := write(r, w); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if r.Broken() != nil {
		return errBroken
	}
	return nil
}
