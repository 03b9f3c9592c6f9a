//go:build !race

package conformance_test

// share is of how many servers one is tried: all are.
const share = 1
