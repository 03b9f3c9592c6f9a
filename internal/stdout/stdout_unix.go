//go:build unix

package stdout

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Take returns standard output, and redirects the process's own to nowhere. The Pact library
// writes a lot there, and has no option against it.
func Take() (*os.File, error) {
	fd, err := unix.Dup(unix.Stdout)
	if err != nil {
		return nil, fmt.Errorf("standard output: %w", err)
	}
	unix.CloseOnExec(fd)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if err := unix.Dup2(int(null.Fd()), unix.Stdout); err != nil {
		return nil, fmt.Errorf("standard output: %w", err)
	}
	return os.NewFile(uintptr(fd), "stdout"), nil
}
