// Package usage tests the programs and the documentation as their users use them: the programs
// are started, and the commands in the documentation run.
package usage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const root = "../../.."

var programs = []string{"mock-orchestratord", "nodecontract", "nodesim", "pact-verify"}

// bin is their directory.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if bin, err = os.MkdirTemp("", "programs"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(bin)
		if out, err := install(); err != nil {
			fmt.Fprintf(os.Stderr, "build the programs: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// install puts the programs into bin. Unlike go build, go run keeps what it has linked in the cache, so
// that a program that has not changed is only copied.
func install() (output []byte, err error) {
	for _, program := range programs {
		run := exec.Command("go", append(append([]string{"run", "-buildvcs=false"}, pactFlags...),
			"-exec", "cp", "./cmd/"+program, filepath.Join(bin, program))...)
		run.Dir = root
		if output, err = run.CombinedOutput(); err != nil {
			return output, fmt.Errorf("%s: %w", program, err)
		}
	}
	return nil, nil
}

// result is how a program has ended.
type result struct {
	status         int
	stdout, stderr string
}

// patience is for a machine that is very busy.
const patience = 2 * time.Minute

// start runs a program until it ends, with an environment of its own.
func start(t *testing.T, env []string, program string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(bin, program), args...)
	command.Dir = t.TempDir()
	command.Env = append(bareEnvironment(), env...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// bareEnvironment is the environment without the variables that programs read their settings from.
func bareEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		for _, prefix := range []string{"ORCH", "POOL_MANAGERD_", "LLORCH_", "MOCK_", "PACT_", "TERM=", "NO_COLOR="} {
			if strings.HasPrefix(variable, prefix) {
				return true
			}
		}
		return false
	})
}
