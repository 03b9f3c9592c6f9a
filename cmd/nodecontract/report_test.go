package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestReportOverAnotherFile has a report go to a file that the command writes itself.
func TestReportOverAnotherFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for flag, args := range map[string][]string{
		"--write": {"overlay", overlaid}, "--picture": {"conform", "--provider-url", "http://127.0.0.1:1"},
	} {
		_, stderr := nodecontract(t, 2, append(args, flag, file, "--report", "json="+file)...)
		if want := flag + " names the file of a report"; !strings.Contains(stderr, want) {
			t.Errorf("no %q in: %s", want, stderr)
		}
	}
}
