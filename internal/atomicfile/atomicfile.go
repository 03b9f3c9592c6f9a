// Package atomicfile writes files whole or not at all.
package atomicfile

import (
	"cmp"
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
	path, old, err := resolve(path)
	switch {
	case err != nil:
		return err
	case old != nil && !old.Mode().IsRegular():
		return writeTo(path, data)
	}
	return named(path, replace(path, data, perm, old))
}

// Check returns why Write would fail, as far as that shows before there is anything to write. It returns
// the absolute path of the file that Write would replace, "" for one that is not regular. Nothing changes.
func Check(path string) (file string, err error) {
	path, old, err := resolve(path)
	switch {
	case err != nil:
		return "", err
	case old != nil && old.IsDir():
		return "", &fs.PathError{Op: "write", Path: path, Err: syscall.EISDIR}
	case old != nil && !old.Mode().IsRegular():
		return "", nil
	}
	tried, err := create(path, 0o600)
	if err != nil {
		return "", named(path, err)
	}
	if err := errors.Join(tried.Close(), os.Remove(tried.Name())); err != nil {
		return "", err
	}
	return place(path)
}

// place returns the absolute path of a file, and follows links in the path of its folder too.
func place(path string) (string, error) {
	folder, name := filepath.Split(path)
	folder, err := filepath.EvalSymlinks(cmp.Or(folder, "."))
	if err != nil || filepath.IsAbs(folder) {
		return filepath.Join(folder, name), err
	}
	working, err := os.Getwd() // which may be a link itself
	if err == nil {
		working, err = filepath.EvalSymlinks(working)
	}
	return filepath.Join(working, folder, name), err
}

// resolve follows symbolic links. It returns what is there, nil for nothing.
func resolve(path string) (string, fs.FileInfo, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return target(path), nil, nil
	}
	return path, info, err
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
	file, err := create(path, perm)
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
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// create makes a file beside the path, on the same file system.
func create(path string, perm fs.FileMode) (*os.File, error) {
	directory, name := filepath.Split(path)
	beside := filepath.Join(directory, "."+name+"."+rand.Text())
	return os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
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
