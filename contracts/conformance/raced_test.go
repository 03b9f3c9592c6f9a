//go:build race

package conformance_test

// share is of how many servers one is tried. The race detector makes a run several times as
// slow and sees the same code in each; `make test` tries all without it.
const share = 8
