// Package apidoc reads OpenAPI documents: from one file or several, from a git revision, or
// as an overlay on another document.
package apidoc

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/yamlwords"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/openapi/overlay"
)

// Source is the text of a document, with its name.
type Source struct {
	Name string
	Data []byte
	// read reads another file of the document, by its path from the document's folder;
	// nil where the document is all there is.
	read func(path string) ([]byte, error)
	// overlaid means that the text is made by an overlay, so its lines are in no file.
	overlaid bool
}

// compiledIn is where the document that is compiled in stands in this repository.
const compiledIn = "openapi/nodes.yaml"

// ReadFile reads a document from a file, which may be an overlay. Files that it refers to
// have to be in its folder or inside it. Without a name it returns the document that is
// compiled in.
func ReadFile(name string) (Source, error) {
	if name == "" {
		return Source{Name: compiledIn, Data: openapi.Nodes}, nil
	}
	data, err := regularfile.ReadShort(name)
	if err != nil {
		return Source{}, err
	}
	read := func(inner string) ([]byte, error) { return regularfile.ReadBeside(name, inner) }
	return newSource(name, data, read)
}

// readRevision reads a document as it was at a git revision.
func readRevision(ctx context.Context, revision, name string) (Source, error) {
	read := func(inner string) ([]byte, error) { return show(ctx, revision, filepath.Dir(name), inner) }
	data, err := read(filepath.Base(name))
	if err != nil {
		return Source{}, err
	}
	return newSource(revision+":"+name, data, read)
}

// newSource returns a document from its text, or from that of an overlay on it.
func newSource(name string, data []byte, read func(string) ([]byte, error)) (Source, error) {
	document, err := overlay.Resolve(data, read)
	if err != nil {
		return Source{}, fmt.Errorf("%s: %w", name, yamlwords.Plain(err))
	}
	overlaid := !bytes.Equal(document, data) // any other document is resolved to itself
	return Source{Name: name, Data: document, read: read, overlaid: overlaid}, nil
}

// ReadBase reads what a document is compared with. base names a file. If there is no such
// file, base is a git revision, and ReadBase reads the document as it was then. Without a
// document that is the one of this repository.
func ReadBase(ctx context.Context, base, document string) (Source, error) {
	if base == "" {
		return Source{}, errors.New("no base is named")
	}
	source, err := ReadFile(base)
	if !errors.Is(err, fs.ErrNotExist) {
		return source, err
	}
	document = cmp.Or(document, compiledIn)
	source, err = readRevision(ctx, base, document)
	if err != nil {
		return Source{}, fmt.Errorf("%s is no file, and no git revision that has %s: %w", base, document, err)
	}
	return source, nil
}

// show returns a file of a git revision.
func show(ctx context.Context, revision, directory, file string) ([]byte, error) {
	// The path after ./ is relative to the directory, wherever that is in the
	// repository.
	object := revision + ":./" + path.Clean(filepath.ToSlash(file))
	git := exec.CommandContext(ctx, "git", "-C", directory, "show", "--end-of-options", object)
	var stderr bytes.Buffer
	git.Stderr = &stderr
	data, err := git.Output()
	if err != nil {
		reason, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if reason == "" {
			return nil, fmt.Errorf("git: %w", err)
		}
		return nil, errors.New("git: " + strings.TrimPrefix(reason, "fatal: "))
	}
	return data, nil
}
