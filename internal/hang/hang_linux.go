// Package hang makes files of tests hang, as those on a mount whose server is gone.
package hang

import (
	"os"
	"syscall"
	"testing"
)

// File makes whoever opens a file wait until the test has ended, or for as long as the kernel lets
// a lease be kept. That is 45 s.
func File(t testing.TB, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if _, _, fault := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_SETLEASE, syscall.F_WRLCK); fault != 0 {
		t.Skipf("the file system has no leases: %v", fault)
	}
}
