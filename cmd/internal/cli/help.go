package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// heading is the annotation of a flag with its heading in the help.
const heading = "heading"

// Under shows the flags that define adds under a heading of the help, in the order of their definition.
func Under(flags *pflag.FlagSet, title string, define func(*pflag.FlagSet)) {
	flags.SortFlags = false
	added := newSection()
	define(added)
	added.VisitAll(func(flag *pflag.Flag) {
		_ = added.SetAnnotation(flag.Name, heading, []string{title}) // fails only for a flag that is not there
	})
	flags.AddFlagSet(added)
}

// HeadingOf returns the heading of a flag in the help, "" for one that has none.
func HeadingOf(flag *pflag.Flag) string { return strings.Join(flag.Annotations[heading], "") }

// writeHelp writes the part of the help that follows the description of a command. Its flags stand under
// headings. No template writes it: that calls methods by name, for which the linker keeps those of all types.
func writeHelp(command *cobra.Command) error {
	usage := "Usage:"
	if command.Runnable() {
		usage += "\n  " + command.UseLine()
	}
	if command.HasAvailableSubCommands() {
		usage += "\n  " + command.CommandPath() + " [command]"
	}
	parts := []string{usage}
	if command.Example != "" {
		parts = append(parts, "Examples:\n"+command.Example)
	}
	if command.HasAvailableSubCommands() {
		parts = append(parts, "Commands:"+commands(command))
	}
	all := sections(command.LocalFlags())
	for _, s := range all {
		parts = append(parts, s.heading(len(all) == 1)+":\n"+strings.TrimRight(s.usages(), "\n"))
	}
	if command.HasAvailableSubCommands() {
		parts = append(parts, `Use "`+command.CommandPath()+` [command] --help" for more about a command.`)
	}
	_, err := fmt.Fprintln(command.OutOrStdout(), strings.Join(parts, "\n\n"))
	return err
}

// commands lists the commands of a group, each on a line of its own.
func commands(group *cobra.Command) (lines string) {
	for _, command := range group.Commands() {
		if command.IsAvailableCommand() {
			lines += fmt.Sprintf("\n  %-*s %s", command.NamePadding(), command.Name(), command.Short)
		}
	}
	return lines
}

// section is the flags under one heading.
type section struct {
	title string // empty for none
	flags *pflag.FlagSet
}

func (s section) heading(only bool) string {
	switch {
	case s.title != "":
		return s.title
	case only:
		return "Flags"
	}
	return "Other"
}

// usages describes the flags. Their defaults may come from the environment.
func (s section) usages() string { return foreign.Block(s.flags.FlagUsagesWrapped(columns)) }

// columns is how wide the lines of the help are, if their words allow it.
const columns = 100

// Wrap breaks a text that begins behind an indent into the lines of the help. It indents all but the first.
func Wrap(text string, indent int) string {
	var wrapped strings.Builder
	used := indent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case used+1+len(word) > columns:
			wrapped.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			wrapped.WriteByte(' ')
			used++
		}
		wrapped.WriteString(word)
		used += len(word)
	}
	return wrapped.String()
}

// sections returns flags by their headings, in the order in which they were defined.
func sections(flags *pflag.FlagSet) (all []section) {
	at := map[string]int{}
	flags.VisitAll(func(flag *pflag.Flag) {
		title := HeadingOf(flag)
		if _, begun := at[title]; !begun {
			at[title] = len(all)
			all = append(all, section{title, newSection()})
		}
		all[at[title]].flags.AddFlag(flag)
	})
	return all
}

// newSection returns a set of flags that keeps their order.
func newSection() *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	return flags
}
