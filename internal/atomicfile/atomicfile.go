// Package atomicfile writes files whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
)

// Write replaces the content of a file atomically. Readers see the old content or the new,
// even if the process is stopped or the disk is full. A symbolic link stays one. An existing
// file keeps its mode; perm is the mode of a new one. A file that is not regular, such as
// /dev/stdout or a pipe, is written to directly.
//
// On Windows, which cannot replace a file atomically, Write writes it directly.
func Write(path string, data []byte, perm fs.FileMode) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return writeTo(path, data)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := maybe.WriteFile(path, data, perm); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func writeTo(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}
