//go:build linux

package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installer is a go that pretends to be the installer of pact-go.
const installer = `#!/bin/sh
case "$1 $2" in
"env GOOS") echo linux ;;
"env GOARCH") echo amd64 ;;
"env CC") echo "$CC" ;;
*) echo library >"$6/libpact_ffi.so" ;;
esac
`

// TestPactLibraryWithoutNpm runs the script with a PATH that has no npm. The library has to be of the
// libc that the C compiler is for.
func TestPactLibraryWithoutNpm(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bin")
	for _, folder := range []string{path, filepath.Join(dir, "scripts")} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{
		"cat", "cut", "dirname", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "sha512sum", "tail",
	} {
		found, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(err)
		}
		if err := os.Symlink(found, filepath.Join(path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"bin/go": installer, "scripts/pact-ffi.sh": readText(t, filepath.Join(root, "scripts/pact-ffi.sh")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for compiler, libc := range map[string]string{"printf 2": "glibc", "printf __GLIBC__": "musl", "missing": "glibc"} {
		fetch := exec.CommandContext(t.Context(), filepath.Join(dir, "scripts/pact-ffi.sh"))
		fetch.Env = []string{"PATH=" + path, "CC=" + compiler}
		if out, err := fetch.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := readText(t, filepath.Join(dir, ".pact/libpact_ffi.so")); got != "library\n" {
			t.Errorf("the library is %q", got)
		}
		if got := readText(t, filepath.Join(dir, ".pact/stamp")); !strings.Contains(got, " linux-x64-"+libc+" ") {
			t.Errorf("with %q, the library is %s, want that of %s", compiler, got, libc)
		}
	}
}
