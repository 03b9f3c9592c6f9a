// Package regularfile reads files that people name in a configuration: regular ones only, up
// to a size, and no longer than a context lasts.
package regularfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Read returns the content of a regular file, or of one that a symbolic link leads to. A FIFO,
// a device or a directory is an error, since reading it may never end. So is a file of more
// than limit bytes. Read returns when ctx ends, even if the file is on a mount that hangs;
// what waits for that goes on in the background. Errors name the file.
func Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	file := NewPatient(limit, func(texts [][]byte) ([]byte, error) { return texts[0], nil }, path)
	return file.Read(ctx)
}

// maxShort is how many bytes ReadShort reads at most.
const maxShort = 16 << 20

// ReadShort is Read without a context, for files of at most maxShort bytes.
func ReadShort(path string) ([]byte, error) { return read(path, maxShort) }

// ReadBeside is ReadShort for a file, given by its path from the folder of another one. No symbolic link
// leads out of that folder.
func ReadBeside(other, path string) ([]byte, error) {
	folder, err := os.OpenRoot(filepath.Dir(other))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	content, err := readWith(folder.Stat, folder.Open, path, maxShort)
	if at, is := errors.AsType[*fs.PathError](err); is {
		at.Op = strings.NewReplacer("statat", "stat", "openat", "open").Replace(at.Op) // as for any other file
	}
	return content, err
}

func read(path string, limit int64) ([]byte, error) { return readWith(os.Stat, os.Open, path, limit) }

func readWith(
	stat func(string) (os.FileInfo, error), open func(string) (*os.File, error), path string, limit int64,
) ([]byte, error) {
	info, err := stat(path) // before opening, which waits at a FIFO for somebody who writes
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	tooLarge := fmt.Errorf("%s is larger than %d bytes", path, limit)
	if info.Size() > limit {
		return nil, tooLarge
	}
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit { // it has grown, or is one of the kernel's, which have no size
		return nil, tooLarge
	}
	return content, nil
}
