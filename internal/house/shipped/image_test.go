//go:build linux

package shipped

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestImages makes the images, and starts each program in the file system of its image alone. The
// mock has to answer there, and to end well on SIGTERM, as `docker stop` sends it.
func TestImages(t *testing.T) {
	isShipped(t)
	if _, err := exec.LookPath("umoci"); err != nil {
		lacks(t, "umoci is missing: apt-get install umoci")
	}
	const most = 25_000_000 // bytes of an image, unpacked
	layouts := t.TempDir()
	if out, err := script(t, layouts, "image.sh", ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, program := range programs {
		t.Run(program, func(t *testing.T) {
			i := unpack(t, filepath.Join(layouts, program))
			if i.size > most {
				t.Errorf("its files have %d bytes", i.size)
			}
			if i.config.User != "65532:65532" || len(i.config.Entrypoint) != 1 {
				t.Errorf("it starts %q as %q", i.config.Entrypoint, i.config.User)
			}
			i.version(t)
			if program == "mock-orchestratord" {
				serveAndStop(t, i.start(t, "--addr", "127.0.0.1:0"))
			}
		})
	}
}

// image is an unpacked image: its file system, what it says of its process, and the size of its files.
type image struct {
	root   string
	config struct {
		User       string
		Entrypoint []string
	}
	size int64
}

// unpack reads an OCI layout with one image in it.
func unpack(t *testing.T, layout string) (i image) {
	t.Helper()
	type descriptor struct {
		Digest string
		Size   int64
	}
	read := func(file string, into any) {
		if err := json.Unmarshal([]byte(readText(t, file)), into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	blob := func(d descriptor) string {
		algorithm, sum, _ := strings.Cut(d.Digest, ":")
		return filepath.Join(layout, "blobs", algorithm, sum)
	}
	var (
		index    struct{ Manifests []descriptor }
		manifest struct {
			Config descriptor
			Layers []descriptor
		}
		config struct{ Config any }
	)
	read(filepath.Join(layout, "index.json"), &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("there are %d images", len(index.Manifests))
	}
	read(blob(index.Manifests[0]), &manifest)
	config.Config = &i.config
	read(blob(manifest.Config), &config)
	i.root = t.TempDir()
	for _, layer := range manifest.Layers {
		tar := exec.CommandContext(t.Context(), "tar", "-xzf", blob(layer), "-C", i.root)
		if out, err := tar.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	err := filepath.WalkDir(i.root, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		i.size += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// start returns the command that starts the image's program with the image's file system as its
// root, as the image's user.
func (i image) start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	if err := os.Chmod(i.root, 0o755); err != nil { // for the user to enter
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), i.config.Entrypoint[0], args...)
	command.Dir, command.Env = "/", []string{}
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot: i.root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532},
	}
	return command
}

// version returns what the image's program says of its version.
func (i image) version(t *testing.T) string {
	t.Helper()
	out, err := i.start(t, "--version").CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this system lets nobody change the root directory")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// serveAndStop waits until the mock says where it listens, asks it how it is, and stops it.
func serveAndStop(t *testing.T, mock *exec.Cmd) {
	t.Helper()
	output, err := mock.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	mock.Stdout = mock.Stderr
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	url, lines := "", bufio.NewScanner(output)
	for url == "" && lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "http://"); ok {
			url, _, _ = strings.Cut("http://"+address, " ")
		}
	}
	answer, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatalf("at %q: %v", url, err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusOK {
		t.Errorf("status %d", answer.StatusCode)
	}
	if err := mock.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it has closed its output
	}
	if err := mock.Wait(); err != nil {
		t.Errorf("on SIGTERM the mock ends with %v", err)
	}
}
