package regularfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/hang"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

func TestAFileThatIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	file := regularfile.NewPatient(path, 5)
	for _, content := range []string{"1", "12345", ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := file.Read(t.Context()); string(got) != content || err != nil {
			t.Errorf("read %q, want %q: %v", got, content, err)
		}
	}
}

// A second call starts no read of its own: it would hang too.
func TestAFileThatHangsIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	hang.File(t, path)
	file := regularfile.NewPatient(path, 5)
	why := errors.New("that was long enough")
	for _, want := range []string{"read " + path + ": ", path + " is still being read: "} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		if _, err := file.Read(ctx); !errors.Is(err, why) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error is %v, want %s%v", err, want, why)
		}
	}
}
