package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/internal/nearest"
)

// misuse is an error in how a command was called. Its text ends with where to read on.
type misuse struct {
	error
	command *cobra.Command
}

func (m misuse) Error() string {
	return m.error.Error() + "; see " + m.command.CommandPath() + " --help"
}
func (m misuse) Unwrap() error { return m.error }

// Misuse returns an error in how a command was called. Its text ends with where to read on.
func Misuse(command *cobra.Command, format string, args ...any) error {
	return misuse{fmt.Errorf(format, args...), command}
}

// explainFlag makes a sentence of an error of the flag parser.
func explainFlag(command *cobra.Command, err error) error {
	var (
		unknown   *pflag.NotExistError
		valueless *pflag.ValueRequiredError
		invalid   *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(command, unknown)
	case errors.As(err, &valueless):
		return Misuse(command, "--%s needs a value", valueless.GetFlag().Name)
	case errors.As(err, &invalid):
		return misuse{wrongValue(invalid.GetFlag(), invalid.GetValue(), invalid.Unwrap()), command}
	}
	return misuse{err, command}
}

// unknownFlag returns the flag that was probably meant. Letters behind a single dash may be a
// long name with a dash too few, or the value of a flag, which is not repeated.
func unknownFlag(command *cobra.Command, unknown *pflag.NotExistError) error {
	name, given := unknown.GetSpecifiedName(), "--"+unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		name, _, _ = strings.Cut(short, "=")
		given = "-" + unknown.GetSpecifiedName()
	}
	var known []string
	command.Flags().VisitAll(func(flag *pflag.Flag) { known = append(known, flag.Name) })
	if near := nearest.Name(name, known); near != "" && len(name) > 1 {
		given = strings.TrimSuffix(given, unknown.GetSpecifiedName()) + name
		return Misuse(command, "there is no flag %s, perhaps --%s is meant", given, near)
	}
	if below := havingFlag(command, name); below != nil {
		return Misuse(command, "the command is missing: %s is for %s", given, strings.Join(below, " and "))
	}
	return Misuse(command, "there is no flag %s", given)
}

// havingFlag returns the commands below a command that have a flag.
func havingFlag(command *cobra.Command, flag string) (paths []string) {
	for _, below := range command.Commands() {
		if below.Flags().Lookup(flag) != nil {
			paths = append(paths, below.CommandPath())
		}
	}
	return paths
}

// unknownCommand returns the error of a command line that names a command which does not exist.
func unknownCommand(group *cobra.Command, args []string) error {
	given := ""
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			given = arg
			break
		}
	}
	var known []string
	for _, command := range group.Commands() {
		if command.IsAvailableCommand() {
			known = append(known, command.Name())
		}
	}
	if near := nearest.Name(given, known); near != "" {
		return Misuse(group, "there is no command %q, perhaps %q is meant", given, near)
	}
	known = slices.DeleteFunc(known, func(name string) bool { return name == "help" || name == "completion" })
	return Misuse(group, "there is no command %q: choose from %s", given, strings.Join(known, ", "))
}

// checkTopic returns an error if help is asked for a command that does not exist.
func checkTopic(help *cobra.Command, args []string) error {
	if group, rest, err := help.Root().Find(args); err != nil {
		return unknownCommand(group, rest)
	}
	return nil
}

// checkRequired returns an error that names each required flag that is missing.
func checkRequired(command *cobra.Command, _ []string) error {
	if missing := missingFlags(command); missing != nil {
		return Misuse(command, "%s is missing", strings.Join(missing, " and "))
	}
	return nil
}

// missingFlags returns the required flags that are not set.
func missingFlags(command *cobra.Command) (missing []string) {
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if _, required := flag.Annotations[cobra.BashCompOneRequiredFlag]; required && !flag.Changed {
			missing = append(missing, "--"+flag.Name)
		}
	})
	return missing
}

// NoArgs is the Args of a command that has flags alone.
func NoArgs(command *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case args[0] == "true" || args[0] == "false":
		return Misuse(command, "%q belongs to no flag: a switch is set as in --flag=%s", args[0], args[0])
	}
	if missing := missingFlags(command); missing != nil {
		return Misuse(command, "%q belongs to no flag, perhaps %s is missing before it", args[0], missing[0])
	}
	return Misuse(command, "%q belongs to no flag, and there are no other arguments", args[0])
}

// Together returns an error if only one of two flags is set that need each other.
func Together(flags *pflag.FlagSet, one, other string) error {
	for _, pair := range [][2]string{{one, other}, {other, one}} {
		if flags.Lookup(pair[0]).Value.String() != "" && flags.Lookup(pair[1]).Value.String() == "" {
			return fmt.Errorf("--%s is set and --%s is not: one needs the other", pair[0], pair[1])
		}
	}
	return nil
}
