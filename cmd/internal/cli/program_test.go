package cli_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

func TestExecuteSaysWhatIsWrongOnOneLine(t *testing.T) {
	known := errors.New("known")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a misspelt command": {
			[]string{"runn"}, `program: there is no command "runn", perhaps "run" is meant; see program --help` + "\n",
		},
		"another command": {
			[]string{"walk"}, `program: there is no command "walk": choose from know, run; see program --help` + "\n",
		},
		"several errors": {[]string{"run"}, "program: one; two\n"},
		"a known error":  {[]string{"know"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fail := func(err error) func(*cobra.Command, []string) error {
				return func(*cobra.Command, []string) error { return err }
			}
			root := &cobra.Command{Use: "program"}
			root.AddCommand(
				&cobra.Command{Use: "run", RunE: fail(errors.Join(errors.New("one"), errors.New("two\n")))},
				&cobra.Command{Use: "know", RunE: fail(known)},
			)
			var stdout, stderr bytes.Buffer
			err := cli.Execute(t.Context(), root, test.args, &stdout, &stderr, known)
			if err == nil || stdout.Len() > 0 || stderr.String() != test.want {
				t.Errorf("error %v, stdout %q, stderr %q, want %q", err, &stdout, &stderr, test.want)
			}
		})
	}
}

func TestExecuteShowsTheVersion(t *testing.T) {
	root := &cobra.Command{Use: "program", Run: func(*cobra.Command, []string) { t.Error("the program runs") }}
	var stdout, stderr bytes.Buffer
	err := cli.Execute(t.Context(), root, []string{"--version"}, &stdout, &stderr)
	said := stdout.String()
	if err != nil || stderr.Len() > 0 || !strings.HasPrefix(said, "program version ") ||
		!strings.Contains(said, ", go1.") {
		t.Errorf("error %v, stdout %q, stderr %q", err, said, &stderr)
	}
}

// TestExecuteWithoutArguments has the process's own arguments stay out of it.
func TestExecuteWithoutArguments(t *testing.T) {
	defer func(own []string) { os.Args = own }(os.Args)
	os.Args = []string{"program", "walk"}
	root := &cobra.Command{Use: "program", Args: cobra.NoArgs, Run: func(*cobra.Command, []string) {}}
	var stdout, stderr bytes.Buffer
	if err := cli.Execute(t.Context(), root, nil, &stdout, &stderr); err != nil {
		t.Error(err)
	}
}
