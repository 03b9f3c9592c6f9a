package shipped

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	modules "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// released is the version that the modules require of each other.
const released = "v0.1.0"

// TestInstall does what the pages say to people who have Go and no checkout, with the modules as
// they would be released: it installs the programs, and builds a program from each package that
// a page has them get. Their module graphs have to be short.
func TestInstall(t *testing.T) {
	isShipped(t)
	p := publish(t)
	t.Run("programs", func(t *testing.T) {
		dir := t.TempDir()
		for installed := range stated(t, "install") {
			p.run(t, dir, "install", installed)
		}
		for _, program := range programs {
			out, err := exec.CommandContext(t.Context(), filepath.Join(p.bin, program), "--version").CombinedOutput()
			if err != nil || !strings.Contains(string(out), released) {
				t.Errorf("%s --version: %v: %s", program, err, out)
			}
		}
	})
	got := stated(t, "get")
	for imported, most := range map[string]int{ // modules in the graph, fewer than these
		"pkg/registration": 40, "pkg/capabilities": 45, "mockserver/mocktest": 75,
	} {
		imported = module + "/" + imported
		if !got[imported] {
			t.Errorf("no page says `go get %s`", imported)
		}
		delete(got, imported)
		t.Run(path.Base(imported), func(t *testing.T) {
			dir := t.TempDir()
			program := fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", imported)
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			p.run(t, dir, "mod", "init", "example.com/importer")
			p.run(t, dir, "get", imported)
			p.run(t, dir, "build", "-o", os.DevNull, ".")
			list := p.run(t, dir, "list", "-m", "all")
			if n := strings.Count(list, "\n"); n >= most {
				t.Errorf("there are %d modules in the graph, want fewer than %d:\n%s", n, most, list)
			}
		})
	}
	for argument := range got {
		t.Errorf("a page says `go get %s`, which is no package that programs import", argument)
	}
}

// TestCopyOfTheExample does to a copy what the example's README says, without a checkout around it.
func TestCopyOfTheExample(t *testing.T) {
	isShipped(t)
	const example = "examples/pool-managerd"
	commands := regexp.MustCompile("(?s)```sh\n(go mod .*?)```").
		FindStringSubmatch(readText(t, filepath.Join(root, example, "README.md")))
	if commands == nil {
		t.Fatal("the example does not say any more what a copy needs")
	}
	p, dir := publish(t), t.TempDir()
	for _, f := range known(t, example) {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(readText(t, f.path)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(commands[1]) {
		p.run(t, dir, strings.Fields(line)[1:]...)
	}
}

// stated returns what the pages have people install or get.
func stated(t *testing.T, verb string) map[string]bool {
	t.Helper()
	command := regexp.MustCompile(`\bgo ` + verb + ` (` + regexp.QuoteMeta(module) + "[^\\s`]*)")
	arguments := map[string]bool{}
	for _, page := range known(t, ".") {
		if filepath.Ext(page.name) != ".md" {
			continue
		}
		for _, found := range command.FindAllStringSubmatch(readText(t, page.path), -1) {
			arguments[found[1]] = true
		}
	}
	if len(arguments) == 0 {
		t.Fatalf("no page has a command `go %s %s…`", verb, module)
	}
	return arguments
}

// proxy is a directory that serves modules, and where what is installed from it goes.
type proxy struct{ dir, bin, cache string }

// publish puts the modules that others require into a proxy, as their released version.
func publish(t *testing.T) proxy {
	t.Helper()
	p := proxy{t.TempDir(), t.TempDir(), t.TempDir()}
	versions := published(t)
	for path, dir := range versions {
		at := filepath.Join(p.dir, filepath.FromSlash(path), "@v")
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{
			"list": released + "\n", released + ".mod": readText(t, filepath.Join(root, dir, "go.mod")),
			released + ".info": fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, released),
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		archive, err := os.Create(filepath.Join(at, released+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		if err := zip.Create(archive, modules.Version{Path: path, Version: released}, filesOf(t, dir)); err != nil {
			t.Fatal(err)
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// published returns the modules that have a version, by their paths, and where they are: those
// that go.work replaces, and the programs, which nobody requires.
func published(t *testing.T) map[string]string {
	t.Helper()
	work, err := modfile.ParseWork("go.work", []byte(readText(t, filepath.Join(root, "go.work"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{module + "/cmd": "cmd"}
	for _, replaced := range work.Replace {
		if replaced.Old.Version != released {
			t.Errorf("go.work replaces %v, want %s", replaced.Old, released)
		}
		dirs[replaced.Old.Path] = filepath.Clean(replaced.New.Path)
	}
	return dirs
}

// file is a file of a module, as its archive needs it.
type file struct{ name, path string }

func (f file) Path() string                 { return f.name }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(f.path) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(f.path) }

// filesOf returns the files of the module in a directory.
func filesOf(t *testing.T, dir string) (files []zip.File) {
	t.Helper()
	for _, f := range known(t, dir) {
		if !isNested(filepath.Join(root, dir), f.name) {
			files = append(files, f)
		}
	}
	return files
}

// known returns the files in a directory that git knows, or would if asked.
func known(t *testing.T, dir string) (files []file) {
	t.Helper()
	// The checkout may belong to another user, as in CI.
	git := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*",
		"ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = filepath.Join(root, dir)
	list, err := git.Output()
	if err != nil {
		lacks(t, fmt.Sprintf("without git, nobody says which files there are: %v", err))
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		f := file{name, filepath.Join(git.Dir, name)}
		if info, err := f.Lstat(); err == nil && info.Mode().IsRegular() {
			files = append(files, f)
		}
	}
	return files
}

// isNested reports whether a file of a directory is of a module further down.
func isNested(dir, name string) bool {
	for at := filepath.Dir(name); at != "."; at = filepath.Dir(at) {
		if isThere(filepath.Join(dir, at, "go.mod")) {
			return true
		}
	}
	return false
}

// run runs go in a directory outside the checkout, and returns what it prints. It gets our modules
// from the proxy, all others from where they have been downloaded to or from the usual proxy.
func (p proxy) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	env := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE", "GOPROXY")
	out, err := env.Output()
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Fields(string(out))
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(),
		"GOPROXY="+strings.Join([]string{"file://" + p.dir, "file://" + found[0] + "/cache/download", found[1]}, ","),
		"GOMODCACHE="+p.cache, "GOBIN="+
			p.bin, "GOWORK=off", "GOSUMDB=off", "GOFLAGS=-modcacherw -trimpath", "CGO_ENABLED=0")
	var stderr strings.Builder
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(text)
}
