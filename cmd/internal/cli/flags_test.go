package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

func TestCollectErrors(t *testing.T) {
	flags := pflag.NewFlagSet("program", pflag.ContinueOnError)
	timeout := flags.Duration("timeout", time.Second, "")
	nodes := flags.Int("nodes", 3, "")
	loud := flags.Bool("loud", false, "")
	names := flags.StringArray("name", nil, "")
	flags.Duration("pause", 0, "pause (default half of the timeout)")
	wrong := cli.CollectErrors(flags)

	if err := flags.Parse([]string{
		"--timeout", "ten", "--loud", "--nodes=many", "--name", "a", "--name",
		"b",
	}); err != nil {
		t.Fatal(err)
	}
	const want = `--timeout is "ten": must be a number with a unit, such as 500ms, 10s or 2m` + "\n" +
		`--nodes is "many": must be a whole number`
	if err := wrong(); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if *timeout != time.Second || *nodes != 3 || !*loud || len(*names) != 2 {
		t.Errorf("flags are %v, %v, %v, %v", *timeout, *nodes, *loud, *names)
	}
	if usage := flags.FlagUsages(); strings.Contains(usage, "[]") || strings.Contains(usage, "0s") {
		t.Errorf("usage shows an empty list, or a second default:\n%s", usage)
	}
}
