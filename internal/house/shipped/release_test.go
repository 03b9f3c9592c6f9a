//go:build linux

package shipped

import (
	"archive/zip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

var tryRelease = flag.Bool("release", false, "make a release, though goreleaser may have to be built for it")

const (
	next = "v1.2.3" // what the tests release
	host = runtime.GOOS + "_" + runtime.GOARCH

	pactFile = "pool-managerd-orchestratord.json"
)

// TestReleaseConfig holds .goreleaser.yaml to the schema of the goreleaser that we use.
func TestReleaseConfig(t *testing.T) {
	isShipped(t)
	pin := regexp.MustCompile(`(?m)^version=(\S+)$`).FindStringSubmatch(readText(t, root+"/scripts/goreleaser.sh"))
	if pin == nil {
		t.Fatal("scripts/goreleaser.sh names no version")
	}
	var goreleaser struct{ Dir string }
	download := run(t, root, "go", "mod", "download", "-json", "github.com/goreleaser/goreleaser/v2@"+pin[1])
	if err := json.Unmarshal([]byte(download), &goreleaser); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile(goreleaser.Dir + "/www/docs/static/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var config any
	if err := yaml.Unmarshal([]byte(readText(t, root+"/.goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(config); err != nil {
		t.Error(err)
	}
}

// TestRelease makes a release as the workflow does, but publishes nothing, and looks at what is in
// it. Without goreleaser, it tries pact-verify alone.
func TestRelease(t *testing.T) {
	if !*tryRelease {
		isShipped(t)
	}
	dir := tagged(t)
	run(t, dir, "scripts/pact-verify.sh")
	t.Run("pact-verify", func(t *testing.T) { looksBesideItself(t, filepath.Join(dir, "bin/release", host)) })
	musl := onMusl(t, dir)
	t.Run("musl", func(t *testing.T) { looksBesideItself(t, filepath.Join(dir, "bin/release", host+"_musl"), musl...) })
	if _, err := exec.LookPath("goreleaser"); err != nil && !*tryRelease {
		t.Skip("goreleaser is missing, and only -release has it built")
	}
	run(t, dir, "scripts/goreleaser.sh", "check")
	run(t, dir, "scripts/goreleaser.sh", "release", "--skip=publish", "--release-notes=CHANGELOG.md")
	want := []string{"pact-verify_" + host + ".cdx.json", "pact-verify_" + host + "_musl.cdx.json"}
	for _, platform := range []string{
		"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64",
	} {
		name := "node-registration_" + strings.TrimPrefix(next, "v") + "_" + platform
		archive := name + ".tar.gz"
		if strings.HasPrefix(platform, "windows_") {
			archive = name + ".zip"
		}
		t.Run(platform, func(t *testing.T) {
			checkUnpacked(t, filepath.Join(extract(t, filepath.Join(dir, "dist", archive)), name), platform)
		})
		want = append(want, archive)
		for _, program := range programs {
			want = append(want, program+"_"+platform+".cdx.json")
		}
	}
	checkSums(t, dir, want)
}

// tagged returns a copy of the checkout: a repository with one commit, and the tags of a release.
func tagged(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, ".pact"), os.DirFS(filepath.Dir(pactLibrary(t)))); err != nil {
		t.Fatal(err)
	}
	for _, f := range known(t, ".") {
		info, err := f.Lstat()
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(readText(t, f.path)), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "git", "init", "--quiet")
	run(t, dir, "git", "remote", "add", "origin", "https://"+module)
	run(t, dir, "git", "add", "--all")
	run(t, dir, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message=all")
	for _, nested := range published(t) {
		run(t, dir, "git", "tag", path.Join(nested, next))
	}
	return dir
}

// run runs a command in a directory, and returns what it prints. Programs that it builds have a
// version.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), "GOFLAGS=-buildvcs=auto")
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, stderr.String())
	}
	return string(out)
}

// extract unpacks an archive into a directory of its own.
func extract(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	if filepath.Ext(archive) != ".zip" {
		run(t, dir, "tar", "-xzf", archive)
		return dir
	}
	files, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = files.Close() }()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkUnpacked looks at all files of an archive. The programs of this platform are started, with
// nothing around them but the archive.
func checkUnpacked(t *testing.T, dir, platform string) {
	t.Helper()
	extension := ""
	if strings.HasPrefix(platform, "windows_") {
		extension = ".exe"
	}
	want := []string{"CHANGELOG.md", "LICENSE", "README.md"}
	for _, program := range programs {
		want = append(want, program+extension)
		info, err := buildinfo.ReadFile(filepath.Join(dir, program+extension))
		if err != nil {
			t.Fatal(err)
		}
		goos, goarch, _ := strings.Cut(platform, "_")
		for _, setting := range []debug.BuildSetting{{Key: "GOOS", Value: goos}, {Key: "GOARCH", Value: goarch}} {
			if !slices.Contains(info.Settings, setting) {
				t.Errorf("%s is not of %s: %v", program, platform, info.Settings)
			}
		}
		if info.Main.Version != next {
			t.Errorf("%s has version %s, want %s", program, info.Main.Version, next)
		}
	}
	if platform == host {
		verifies := []string{filepath.Base(pactLibrary(t)), "pact-verify", pactFile}
		hasFiles(t, filepath.Join(dir, "musl"), verifies)
		want = append(append(want, "musl"), verifies...)
		looksBesideItself(t, dir)
		startsAlone(t, dir)
	}
	hasFiles(t, dir, want)
}

// hasFiles compares the names of the files in a directory.
func hasFiles(t *testing.T, dir string, want []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the files are %q, want %q", got, want)
	}
}

// startsAlone starts the static programs with a directory as their file system.
func startsAlone(t *testing.T, dir string) {
	t.Helper()
	for _, program := range programs {
		t.Run(program, func(t *testing.T) {
			i := image{root: dir}
			i.config.Entrypoint = []string{"/" + program}
			if got := i.version(t); !strings.Contains(got, next+", commit ") {
				t.Errorf("its version is %s", got)
			}
		})
	}
}

// looksBesideItself has the pact-verify of a release verify a mock. It must look for its library
// beside itself alone.
func looksBesideItself(t *testing.T, dir string, env ...string) {
	t.Helper()
	path := filepath.Join(dir, "pact-verify")
	start := append(env, path)
	if got := run(t, dir, "env", append(start, "--version")...); !strings.Contains(got, next+", commit ") {
		t.Errorf("its version is %s", got)
	}
	mock := mocktest.Start(t, mockserver.WithLogger(nil))
	run(t, dir, "env", append(start, "--provider-url", mock.URL, "--pact", pactFile)...)
	program, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	runpath, err := program.DynString(elf.DT_RUNPATH)
	old, _ := program.DynString(elf.DT_RPATH)
	if where := append(runpath, old...); err != nil || !slices.Equal(where, []string{"$ORIGIN"}) {
		t.Errorf("the library is looked for in %q: %v", where, err)
	}
}

// checkSums holds the list of checksums to the files that are uploaded, and reads those that list
// modules.
func checkSums(t *testing.T, dir string, want []string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(readText(t, filepath.Join(dir, "dist/checksums.txt"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		got = append(got, name)
		file := filepath.Join(dir, "dist", name)
		if !isThere(file) {
			file = filepath.Join(dir, "bin/release", name)
		}
		content := readText(t, file)
		if real := sha256.Sum256([]byte(content)); sum != hex.EncodeToString(real[:]) {
			t.Errorf("%s has another checksum than %s", name, sum)
		}
		if strings.HasSuffix(name, ".cdx.json") {
			listsModules(t, name, content)
		}
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("there are checksums of %q, want %q", got, want)
	}
}

// listsModules reads the list of modules of a program, which names the release.
func listsModules(t *testing.T, name, text string) {
	t.Helper()
	var list struct {
		BOMFormat  string
		Metadata   struct{ Component struct{ Version string } }
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || list.BOMFormat != "CycloneDX" {
		t.Errorf("%s is no CycloneDX: %v", name, err)
	}
	if version := list.Metadata.Component.Version; version != next || len(list.Components) < 10 {
		t.Errorf("%s lists %d modules of version %q", name, len(list.Components), version)
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
