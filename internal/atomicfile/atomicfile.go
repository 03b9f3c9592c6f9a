// Package atomicfile writes files whole or not at all.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write replaces the content of a file atomically. Readers see the old content or the new,
// even if the process is stopped or the disk is full. A symbolic link stays one,
// and its target is made if it is missing. An existing
// file keeps its mode; perm, less the umask, is the mode of a new one. A file that is not
// regular, such as /dev/stdout or a pipe, is written to directly; a pipe that nobody reads is an error.
func Write(path string, data []byte, perm fs.FileMode) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		path = target(path)
		return named(path, replace(path, data, perm, nil))
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return writeTo(path, data)
	}
	return named(path, replace(path, data, perm, info))
}

// target returns the file that a symbolic link to nothing would lead to, or else the path.
func target(path string) string {
	to, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if directory, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil && !filepath.IsAbs(to) {
		to = filepath.Join(directory, to)
	}
	return target(to)
}

// named says which file could not be written, in place of the one beside it.
func named(path string, err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: failed.Err}
	}
	return err
}

// replace writes a file beside the path, and renames it to the path when all of it is on disk. It
// gives it the mode of the old file, which is nil if there is none.
func replace(path string, data []byte, perm fs.FileMode, old fs.FileInfo) error {
	directory, name := filepath.Split(path)
	beside := filepath.Join(directory, "."+name+"."+rand.Text())
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if old != nil {
		err = file.Chmod(old.Mode().Perm())
	}
	if err == nil {
		_, err = file.Write(data)
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return nil
}

func writeTo(path string, data []byte) error {
	// To open a pipe that nobody reads would wait, and no signal end that.
	file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}
