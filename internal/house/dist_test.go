package house

import (
	"archive/tar"
	"compress/gzip"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestDist makes the archive of this platform as a release does, and looks at what is in it. The
// program with a library runs where it was not built, and looks beside itself alone.
func TestDist(t *testing.T) {
	isShipped(t)
	library, parent := pactLibrary(t), t.TempDir()
	dir := filepath.Join(parent, "releases/new")
	dist := script(t, parent, "dist.sh", "v1.2.3")
	dist.Env = append(os.Environ(), "PLATFORMS="+runtime.GOOS+"/"+runtime.GOARCH,
		"WITHOUT_SBOM=yes", "DIST=releases/new")
	if out, err := dist.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	name := "node-registration_1.2.3_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	if sums := readText(t, filepath.Join(dir, "checksums.txt")); !strings.Contains(sums, "  "+name+"\n") {
		t.Errorf("%s has no checksum in\n%s", name, sums)
	}
	unpacked := t.TempDir()
	files := untar(t, filepath.Join(dir, name), unpacked)
	want := []string{"CHANGELOG.md", "LICENSE", "README.md", "mock-orchestratord", "nodecontract", "nodesim"}
	want = append(want, filepath.Base(library), "pact-verify")
	slices.Sort(want)
	if slices.Sort(files); !slices.Equal(files, want) {
		t.Errorf("the archive holds %q, want %q", files, want)
	}
	runsAnywhere(t, unpacked)
}

// TestDistSparesOtherFiles: it writes into no directory that has files of others.
func TestDistSparesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	letter := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(letter, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dist := script(t, dir, "dist.sh")
	dist.Env = append(os.Environ(), "DIST=.", "PLATFORMS=none/none")
	if out, err := dist.CombinedOutput(); err == nil || !strings.Contains(string(out), "name an empty directory") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(letter); err != nil {
		t.Error(err)
	}
}

// script returns the command of a script in scripts/, started in a directory.
func script(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "scripts", name))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = dir
	return command
}

// pactLibrary returns the file of the Pact library in the checkout. A release cannot be without it.
func pactLibrary(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(root, ".pact", "libpact_ffi.*"))
	if len(found) == 0 {
		lacks(t, "the Pact library is missing, which a release needs: make pact-ffi")
	}
	return found[0]
}

// runsAnywhere starts the verifier of a release, and reads where it looks for its library.
func runsAnywhere(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "pact-verify")
	if out, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	program, err := elf.Open(path)
	if err != nil {
		t.Logf("only ELF says where it looks: %v", err)
		return
	}
	defer func() { _ = program.Close() }()
	runpath, err := program.DynString(elf.DT_RUNPATH)
	old, _ := program.DynString(elf.DT_RPATH)
	if where := append(runpath, old...); err != nil || !slices.Equal(where, []string{"$ORIGIN"}) {
		t.Errorf("the library is looked for in %q: %v", where, err)
	}
}

// untar unpacks the one folder of an archive into a directory, and returns the names of its files.
func untar(t *testing.T, archive, into string) (names []string) {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for reader := tar.NewReader(plain); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		name := path.Base(header.Name)
		content, err := io.ReadAll(reader)
		if err == nil {
			err = os.WriteFile(filepath.Join(into, name), content, header.FileInfo().Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
}
