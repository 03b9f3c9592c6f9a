package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

func TestHelpShowsEachFlagOnceUnderItsHeading(t *testing.T) {
	var port, level string
	command := &cobra.Command{Use: "program", Run: func(*cobra.Command, []string) {}}
	cli.Under(command.Flags(), "Listening", func(flags *pflag.FlagSet) {
		flags.StringVar(&port, "port", "80", "`port` to listen on")
	})
	cli.Under(command.Flags(), "Log", func(flags *pflag.FlagSet) {
		flags.StringVar(&level, "level", "", "what to log")
	})
	var stdout, stderr bytes.Buffer
	if err := cli.Execute(t.Context(), command, []string{"--help"}, &stdout, &stderr); err != nil || stderr.Len() > 0 {
		t.Fatalf("error %v, stderr %q", err, &stderr)
	}
	const want = `Usage:
  program [flags]

Listening:
      --port port   port to listen on (default "80")

Log:
      --level string   what to log

Other:
  -h, --help      help for program
  -v, --version   version for program
`
	if got := stdout.String(); got != want {
		t.Errorf("help is\n%s\nwant\n%s", got, want)
	}
	err := cli.Execute(t.Context(), command, []string{"--port", "81"}, &stdout, &stderr)
	if err != nil || port != "81" {
		t.Errorf("error %v, port %q, want 81", err, port)
	}
}

// TestHelpShowsDefaultsSafely has a default that came from the environment, with a password and an escape.
func TestHelpShowsDefaultsSafely(t *testing.T) {
	command := &cobra.Command{Use: "program", Run: func(*cobra.Command, []string) {}}
	command.Flags().String("at", "http://user:s3cr3t@host/\x1b[2J", "where")
	url := "http://user:s3cr3t@host"
	command.Flags().Var(cli.BaseURL(&url), "url", "where else")
	var stdout, stderr bytes.Buffer
	if err := cli.Execute(t.Context(), command, []string{"--help"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if text := stdout.String(); strings.Contains(text, "s3cr3t") || strings.ContainsAny(text, "\x1b\\") ||
		!strings.Contains(text, "(default http://***@host)") {
		t.Errorf("help is\n%s", text)
	}
}

func TestHelpOfAProgramWithoutHeadings(t *testing.T) {
	root := &cobra.Command{Use: "program", Short: "What it is"}
	run := &cobra.Command{Use: "run", Short: "Run it", Run: func(*cobra.Command, []string) {}, Example: "  program run"}
	run.Flags().Bool("loud", false, "make noise")
	root.AddCommand(run)
	for args, want := range map[string][]string{
		"--help": {
			"What it is\n", "Commands:\n", "  run         Run it\n", "Flags:\n", `Use "program [command] --help"`,
		},
		"run --help": {"Run it\n", "Examples:\n  program run\n", "Flags:\n", "--loud   make noise\n"},
	} {
		var stdout, stderr bytes.Buffer
		if err := cli.Execute(t.Context(), root, strings.Fields(args), &stdout, &stderr); err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(stdout.String(), part) {
				t.Errorf("program %s lacks %q:\n%s", args, part, &stdout)
			}
		}
	}
}

func TestWrapKeepsEveryWordAndTheWidth(t *testing.T) {
	const word = "heartbeat"
	got := cli.Wrap(strings.Repeat(word+" ", 20), 17)
	lines := strings.Split(got, "\n")
	for i, line := range lines {
		if i == 0 {
			line = strings.Repeat(" ", 17) + line
		}
		if len(line) > 100 || !strings.HasPrefix(line, strings.Repeat(" ", 17)+word) || strings.HasSuffix(line, " ") {
			t.Errorf("line %d is %q", i, line)
		}
	}
	if words := strings.Count(got, word); words != 20 || len(lines) != 3 {
		t.Errorf("%d words on %d lines, want 20 on 3", words, len(lines))
	}
	if got := cli.Wrap("short", 17); got != "short" {
		t.Errorf("a short text becomes %q", got)
	}
}
