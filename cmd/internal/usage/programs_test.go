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

// bin is their directory. They stay there, so that Go links again only those that change.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = filepath.Abs(filepath.Join(root, "bin", "test", "programs")); err != nil {
		panic(err)
	}
	flags := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", bin + "/"} // without symbols, like a release
	build := exec.Command("go", slices.Concat(flags, pactFlags)...)
	for _, program := range programs {
		build.Args = append(build.Args, "./cmd/"+program)
	}
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the programs: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
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
