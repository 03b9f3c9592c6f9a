//go:build unix

package registration_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// What does not load leaves everything as it was, and is logged once.
func TestAuthoritiesThatDoNotLoad(t *testing.T) {
	for name, replace := range map[string]func(file string) error{
		"nothing":  func(string) error { return nil },
		"no PEM":   func(file string) error { return os.WriteFile(file, []byte("ca"), 0o600) },
		"a FIFO":   func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"too much": func(file string) error { return os.WriteFile(file, make([]byte, 2<<20), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			g := newGuarded(t, a)
			if err := errors.Join(os.Remove(g.file), replace(g.file)); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := g.ask(); err != nil {
					t.Error(err)
				}
				g.client.CloseIdleConnections()
			}
			if n := strings.Count(g.log.String(), "level=WARN"); n != 1 {
				t.Errorf("warned %d times, want once:\n%s", n, g.log.String())
			}
			other := newAuthority(t)
			_ = os.Remove(g.file)
			g.trust(other)
			g.show(other)
			if err := g.ask(); err != nil {
				t.Errorf("once it loads again: %v", err)
			}
		})
	}
}
