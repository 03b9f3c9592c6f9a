package stdout

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

var null *os.File // for the process to keep

// Take returns standard output, and redirects that of C libraries to nowhere. They ask Windows for
// it, while a program of Go has done so at its start.
func Take() (out *os.File, err error) {
	if null, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if err := windows.SetStdHandle(windows.STD_OUTPUT_HANDLE, windows.Handle(null.Fd())); err != nil {
		return nil, fmt.Errorf("standard output: %w", err)
	}
	return os.Stdout, nil
}
