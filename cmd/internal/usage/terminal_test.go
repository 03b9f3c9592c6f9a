//go:build unix

package usage

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestTerminals has a person watch programs. One whose terminal is dumb, or who wants no colours,
// gets no escape sequence from the log; a dumb terminal gets none from a progress bar either.
func TestTerminals(t *testing.T) {
	colours := "mock-orchestratord --addr 127.0.0.1:0 --token short"
	bar := "nodesim fleet --nodes 1 --orchestratord-url http://127.0.0.1:1 --ramp 1ms --for 1ms"
	for name, test := range map[string]struct {
		env, command string
		want         bool // escape sequences
	}{
		"a log":                  {"TERM=xterm", colours, true},
		"a log without colours":  {"NO_COLOR=1", colours, false},
		"a log on a dumb one":    {"TERM=dumb", colours, false},
		"progress":               {"TERM=xterm", bar, true},
		"progress on a dumb one": {"TERM=dumb", bar, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			seen, program, err := pty.Open()
			if errors.Is(err, pty.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
				t.Skip("there are no terminals here")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer seen.Close()
			if err := pty.Setsize(program, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(test.command)
			command := exec.CommandContext(ctx, filepath.Join(bin, words[0]), words[1:]...)
			command.Env = append(bareEnvironment(), test.env)
			command.Stderr = program
			stdout, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			program.Close()
			bufio.NewReader(stdout).ReadString('\n') // the first line of the mock, the report of the fleet
			command.Process.Signal(os.Interrupt)
			text, _ := io.ReadAll(seen) // ends with an error when the program has closed it
			go io.Copy(io.Discard, stdout)
			command.Wait()
			if got := strings.Contains(string(text), "\x1b"); got != test.want || test.command == colours &&
				len(text) == 0 {
				t.Errorf("escape sequences: %t, want %t, in %q", got, test.want, text)
			}
		})
	}
}
