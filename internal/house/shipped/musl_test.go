//go:build linux

package shipped

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onMusl builds the pact-verify of a release for musl, and returns the environment in which it runs
// beside glibc. Alpine has a libgcc for musl; here that of the system is adapted.
func onMusl(t *testing.T, dir string) []string {
	t.Helper()
	if _, err := exec.LookPath("musl-gcc"); err != nil {
		lacks(t, "musl-gcc is missing: scripts/install.sh musl-tools")
	}
	run(t, dir, "env", "CC=musl-gcc", "scripts/pact-verify.sh")
	libgcc, err := filepath.Abs("testdata/libgcc.c")
	if err != nil {
		t.Fatal(err)
	}
	libs := t.TempDir()
	run(t, libs, "musl-gcc", "-shared", "-fPIC", "-o", "missing.so", libgcc)
	system := strings.TrimSpace(run(t, libs, "gcc", "-print-file-name=libgcc_s.so.1"))
	if err := os.Symlink(system, filepath.Join(libs, "libgcc_s.so.1")); err != nil {
		t.Fatal(err)
	}
	return []string{"LD_LIBRARY_PATH=" + libs, "LD_PRELOAD=" + filepath.Join(libs, "missing.so")}
}
