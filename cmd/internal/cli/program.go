// Package cli is what the command lines of all programs share: flags, usage, version, mistakes in one
// sentence, and the end by a signal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// programContext returns the context of a program. It ends on Ctrl-C, on SIGTERM, and when the
// program's terminal hangs up, unless it runs under nohup. A Ctrl-C or SIGTERM after that ends
// the process the hard way.
func programContext() context.Context {
	ctx := context.Background()
	if !signal.Ignored(syscall.SIGHUP) {
		ctx, _ = signal.NotifyContext(ctx, syscall.SIGHUP) // never stopped: a terminal that goes may hang up twice
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Main runs a program and ends the process with the status that it returns. The standard logger says
// nothing: through it net/http shows bytes that came without a request, which may be credentials.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	log.SetOutput(io.Discard)
	os.Exit(run(programContext(), os.Args[1:], os.Stdout, os.Stderr))
}

// Execute runs a command line, and adds --version and completion to it. It returns the error,
// and writes it as one line to stderr: after the command's name, without the usage. Errors in
// known, which the user has seen already, are only returned.
func Execute(
	ctx context.Context, command *cobra.Command, args []string, stdout, stderr io.Writer, known ...error,
) error {
	prepare(command)
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		describePlainly(command)
	}
	command.SetArgs(append([]string{}, args...)) // not nil, for which cobra takes the process's own
	command.SetOut(stdout)
	command.SetErr(stderr)
	refuseOtherShells(command, args)
	err := command.ExecuteContext(ctx)
	if group, _, missing := command.Find(args); err != nil && missing != nil {
		err = unknownCommand(group, args)
	}
	isKnown := func(k error) bool { return errors.Is(err, k) }
	if err != nil && !slices.ContainsFunc(known, isKnown) {
		fmt.Fprintf(stderr, "%s: %s\n", command.Name(), oneLine(err))
	}
	return err
}

// prepare sets what all programs have in common.
func prepare(command *cobra.Command) {
	command.SilenceUsage, command.SilenceErrors = true, true
	command.Version = versionOfThis()
	command.SetFlagErrorFunc(explainFlag)
	command.SetUsageFunc(writeHelp)
	command.PersistentPreRunE = checkRequired
	completeValues(command)
	command.InitDefaultHelpCmd()
	if help, _, err := command.Find([]string{"help"}); err == nil && help != command {
		help.Args = checkTopic
	}
}

// userinfo matches a name and a password before an @ where no URL begins, which is where package
// foreign looks for them.
var userinfo = regexp.MustCompile(`[^\s"/]+:[^\s"/]+@`)

// oneLine returns the text of an error without its line breaks, safe to show. What two arguments have
// wrong alike is stated once.
func oneLine(err error) string {
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return userinfo.ReplaceAllString(foreign.Line(strings.Join(lines, "; ")), "***@")
}
