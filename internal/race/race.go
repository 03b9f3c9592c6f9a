// Package race keeps heavy tests from the race detector, under which they take ten times as
// long. `make test` runs them without it: it finds them by their names, which end in _heavy.
package race

import (
	"strings"
	"testing"
)

// Skip skips a test under the race detector. It is for tests that take seconds there, and
// in which no goroutines meet but those of lighter tests.
func Skip(t testing.TB) {
	t.Helper()
	mustBeFound(t)
	if on {
		t.Skip("too heavy under the race detector; make test runs it without")
	}
}

// Share returns how much of something is tried: all of it, or less under the race detector.
func Share[T any](t testing.TB, all, raced T) T {
	t.Helper()
	mustBeFound(t)
	if on {
		return raced
	}
	return all
}

// mustBeFound fails a test that nothing would run in full: make test would not find it.
func mustBeFound(t testing.TB) {
	t.Helper()
	if name, _, _ := strings.Cut(t.Name(), "/"); !strings.HasSuffix(name, "_heavy") {
		t.Fatalf("make test runs %s under the race detector alone: its name has to end in _heavy", name)
	}
}
