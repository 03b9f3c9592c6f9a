package breaking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Source is the text of a document, and what it is called.
type Source struct {
	Name string
	Data []byte
}

// ReadFile reads a document from a file.
func ReadFile(path string) (Source, error) {
	data, err := os.ReadFile(path)
	return Source{path, data}, err
}

// ReadBase reads what a document is compared with: a file, or when there is no
// file of this name the document itself as it was at a git revision.
func ReadBase(ctx context.Context, base, document string) (Source, error) {
	source, err := ReadFile(base)
	if !errors.Is(err, fs.ErrNotExist) {
		return source, err
	}
	// The path after ./ is relative to the directory, wherever that is in the
	// repository.
	git := exec.CommandContext(ctx, "git", "-C", filepath.Dir(document), "show", "--end-of-options", base+":./"+filepath.Base(document))
	var stderr bytes.Buffer
	git.Stderr = &stderr
	data, err := git.Output()
	if err != nil {
		reason, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return Source{}, fmt.Errorf("%s is no file, and no git revision that has %s: %w: %s", base, document, err, reason)
	}
	return Source{base + ":" + document, data}, nil
}
