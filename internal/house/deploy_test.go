package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnitOfSystemd has systemd check the unit, with a program in it that is there.
func TestUnitOfSystemd(t *testing.T) {
	const unit, program = "deploy/systemd/pool-managerd.service", "ExecStart=/usr/local/bin/pool-managerd "
	text := readText(t, filepath.Join(root, unit))
	if !strings.Contains(text, program) {
		t.Fatalf("%s has no line %s", unit, program)
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is missing: it is there where systemd runs, but not in a container")
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(unit))
	text = strings.Replace(text, program, "ExecStart=/bin/sh ", 1)
	if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", copied).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) { // others are about the units of this machine
		if strings.Contains(line, filepath.Base(unit)) {
			t.Error(line)
		}
	}
}
