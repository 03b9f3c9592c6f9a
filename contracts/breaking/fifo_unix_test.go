//go:build unix

package breaking_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A reference to what is no regular file is an error. A FIFO would keep its reader waiting, and
// a device never end.
func TestReferencesToWhatIsNoFile(t *testing.T) {
	for name, create := range map[string]func(path string) error{
		"FIFO":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			home := folder(t, map[string]string{"api.json": strings.Replace(main, "SCHEMA", "it.json", 1)})
			if err := create(filepath.Join(home, "it.json")); err != nil {
				t.Fatal(err)
			}
			_, err := compareFiles(t, filepath.Join(home, "api.json"), filepath.Join(home, "api.json"))
			if err == nil || !strings.Contains(err.Error(), "it.json is not a regular file") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
