package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMakeVerifyRunsNoForeignCommand calls the target in a directory where all that it
// would start are scripts that write down their arguments.
func TestMakeVerifyRunsNoForeignCommand(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	makefile, err := filepath.Abs("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"$(shell touch pwned)", "`touch pwned`", "$(touch pwned)", "$$(touch pwned)", `";touch pwned;"`,
		"';touch pwned;'", "${HOME}",
	} {
		dir := t.TempDir()
		for name, script := range map[string]string{
			"bin/go": "exit 0", "scripts/pact-ffi.sh": "exit 0", "bin/pact-verify": `printf '%s\n' "$@" >arguments`,
		} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		verify := exec.CommandContext(t.Context(), "make", "-f", makefile, "verify", "PROVIDER_URL="+url,
			"VERIFY_FLAGS="+url)
		verify.Dir = dir
		verify.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "MAKEFLAGS=")
		if out, err := verify.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", url, err, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
			t.Errorf("%q was run as a command", url)
		}
		arguments, err := os.ReadFile(filepath.Join(dir, "arguments"))
		if err != nil || !strings.HasPrefix(string(arguments), "--provider-url\n"+url+"\n") {
			t.Errorf("%q: the arguments are %q: %v", url, arguments, err)
		}
	}
}
