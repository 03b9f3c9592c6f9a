package devcert

import (
	"fmt"
	"os"
	"runtime"
)

// checkPrivate returns an error if others than its owner may read or write a file or a
// directory. A key that they can read lets them pose as its owner, and so does one that they
// have put there. Windows keeps its permissions elsewhere.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	const others = 0o077
	if mode := info.Mode().Perm(); mode&others != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf(
			"%s may be read or written by others (its mode is %#o): run chmod %#o %[1]q, or name another directory",
			path, mode, mode&^others)
	}
	return nil
}
