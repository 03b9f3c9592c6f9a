package main

import (
	"errors"
	"io"

	"github.com/llama-orch/node-registration/cmd/internal/fleet"
	"github.com/llama-orch/node-registration/contracts/report"
)

// errBroken ends a command that has reported a broken promise.
var errBroken = errors.New("a promise was broken")

// brokenStatus is the exit status after a broken promise.
const brokenStatus = 3

// conclude writes the reports, and returns errBroken if a promise was broken.
func conclude(stdout io.Writer, reports *report.Flag, result *fleet.Report) error {
	if err := reports.Write(stdout, result.Writers()); err != nil {
		return err
	}
	if result.Broken() != nil {
		return errBroken
	}
	return nil
}
