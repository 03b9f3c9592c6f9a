package cli

import (
	_ "embed"
	"strings"
	"text/template"

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

// help is the template of the part of the help that follows the description of a command.
//
//go:embed help.tmpl
var help string

// writeHelp writes that part. Its flags stand under headings.
func writeHelp(command *cobra.Command) error {
	parsed, err := template.New("help").Funcs(template.FuncMap{"trimRight": trimRight}).Parse(help)
	if err != nil {
		return err
	}
	return parsed.Execute(command.OutOrStdout(), struct {
		*cobra.Command
		Sections []section
	}{command, sections(command.LocalFlags())})
}

func trimRight(text string) string { return strings.TrimRight(text, "\n") }

// section is the flags under one heading.
type section struct {
	Title string
	flags *pflag.FlagSet
}

// Usages describes the flags. Their defaults may come from the environment.
func (s section) Usages() string { return foreign.Block(s.flags.FlagUsagesWrapped(columns)) }

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
