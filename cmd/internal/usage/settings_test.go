package usage

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli/settingsdoc"
)

// kind is the value of a flag. It knows its kind, and no text.
type kind string

func (k kind) String() string   { return "" }
func (k kind) Set(string) error { return nil }
func (k kind) Type() string     { return string(k) }

// TestSettingsOfTheExample_lint reads the flags of pool-managerd from its help: it is nobody's import,
// and has Go's flags.
func TestSettingsOfTheExample_lint(t *testing.T) {
	run := exec.CommandContext(t.Context(), "go", "run", "./examples/pool-managerd", "-help")
	run.Dir, run.Env = root, bareEnvironment()
	help, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, help)
	}
	command := &cobra.Command{Use: "pool-managerd"}
	line := regexp.MustCompile(`(?m)^  -(\S+) (\S+)\n    \t(.*?)(?: \(default (.*)\))?$`)
	for _, found := range line.FindAllStringSubmatch(string(help), -1) {
		command.Flags().AddFlag(&pflag.Flag{
			Name: found[1], Value: kind(found[2]), Usage: found[3], DefValue: strings.Trim(found[4], `"`),
		})
	}
	settingsdoc.Check(t, filepath.Join(root, "docs/settings.md"), command)
}
