package atomicfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/atomicfile"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ path, content string }{{path, "one"}, {path, "two"}, {link, "three"}} {
		if err := atomicfile.Write(step.path, []byte(step.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(path); err != nil || string(content) != step.content {
			t.Errorf("the file holds %q, want %q: %v", content, step.content, err)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become a file: %v, %v", info, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("besides the file and the link there is more: %v, %v", entries, err)
	}
}

// A reader that opened the old file goes on reading it: it was replaced, not truncated.
func TestReadersKeepTheOldContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil { // which the umask would not let a new file have
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := atomicfile.Write(path, []byte("new content"), 0o644); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 20)
	if n, err := reader.Read(content); err != nil || string(content[:n]) != "old" {
		t.Errorf("the reader finds %q, want the old content: %v", content[:n], err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the mode changed: %v, %v", info.Mode(), err)
	}
}

func TestDevicesAreWrittenTo(t *testing.T) {
	if err := atomicfile.Write(os.DevNull, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device was replaced: %v, %v", info, err)
	}
}

func TestWriteFails(t *testing.T) {
	if err := atomicfile.Write(filepath.Join(t.TempDir(), "missing", "report"), nil, 0o644); err == nil {
		t.Error("no error for a directory that is missing")
	}
}

// TestCheck looks at what Write would do, and leaves everything as it is.
func TestCheck(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := os.Symlink("there", "link"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"there", "link", filepath.Join(dir, "there")} {
		if file, err := atomicfile.Check(path); err != nil || file != filepath.Join(dir, "there") {
			t.Errorf("%s: it would be %q: %v", path, file, err)
		}
	}
	if file, err := atomicfile.Check(os.DevNull); err != nil || file != "" {
		t.Errorf("the device would be %q: %v", file, err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing", "report"), "link/report"} {
		if file, err := atomicfile.Check(path); err == nil || !strings.HasPrefix(err.Error(), "write ") {
			t.Errorf("%s: it would be %q: %v", path, file, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("besides the link there is more: %v, %v", entries, err)
	}
}

// TestCheckFollowsFolders has a file be one place, whatever links lead to its folder, and whether it is there or not.
func TestCheckFollowsFolders(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "real", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("real", "deep"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "link"))
	for _, there := range []bool{false, true} {
		for path, want := range map[string]string{
			"report": "real/deep/report", dir + "/link/report": "real/deep/report",
			"../report": "real/report", dir + "/link/../report": "real/report",
		} {
			if file, err := atomicfile.Check(path); err != nil || file != filepath.Join(dir, want) {
				t.Errorf("%s, with a file there: %t: it would be %q, want %s: %v", path, there, file, want, err)
			}
		}
		for _, folder := range []string{"real", "real/deep"} {
			if err := os.WriteFile(filepath.Join(dir, folder, "report"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestALinkToNothing has links whose target, at the end of all of them, is yet to be made.
func TestALinkToNothing(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "report"), filepath.Join(dir, "link")
	for name, to := range map[string]string{link: "first", filepath.Join(dir, "first"): target} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.Write(link, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become a file: %v, %v", info, err)
	}
	if content, err := os.ReadFile(target); err != nil || string(content) != "content" {
		t.Errorf("the target holds %q: %v", content, err)
	}
	if err := os.Symlink("circle", filepath.Join(dir, "circle")); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "circle"), nil, 0o644); err == nil {
		t.Error("no error for a link to itself")
	}
}
