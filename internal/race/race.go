// Package race keeps heavy tests from the race detector, under which they take ten times as
// long. `make test` runs them without it.
package race

import "testing"

// Skip skips a test under the race detector. It is for tests that take seconds there, and
// in which no goroutines meet but those of lighter tests.
func Skip(t testing.TB) {
	t.Helper()
	if on {
		t.Skip("too heavy under the race detector; make test runs it without")
	}
}

// Share returns how much of something is tried: all of it, or less under the race detector.
func Share[T any](all, raced T) T {
	if on {
		return raced
	}
	return all
}
