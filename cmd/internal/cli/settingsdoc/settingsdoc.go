// Package settingsdoc keeps docs/settings.md in step with the flags of the programs. It is for
// tests: go test ./cmd/... -run Settings -args -update-settings writes the tables anew.
package settingsdoc

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

var update = flag.Bool("update-settings", false, "write the tables of settings instead of comparing them")

// Check compares the table of a command's settings in a file with its flags. The table stands
// between the lines "<!-- settings: COMMAND -->" and "<!-- end -->".
func Check(t *testing.T, file string, command *cobra.Command) {
	t.Helper()
	checkHeadings(t, command)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin := []byte("<!-- settings: " + command.CommandPath() + " -->\n")
	before, rest, found := bytes.Cut(text, begin)
	is, after, ends := bytes.Cut(rest, []byte("<!-- end -->"))
	if !found || !ends {
		t.Fatalf("%s has no table of the settings of %s", file, command.CommandPath())
	}
	should := []byte(tableOf(command))
	switch {
	case bytes.Equal(is, should):
	case *update:
		whole := bytes.Join([][]byte{before, begin, should, []byte("<!-- end -->"), after}, nil)
		if err := os.WriteFile(file, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s differs from the flags of %s: write it anew with -args -update-settings, it should be\n%s",
			file, command.CommandPath(), should)
	}
}

// checkHeadings fails the test if some of a command's flags have a heading and others have none.
func checkHeadings(t *testing.T, command *cobra.Command) {
	t.Helper()
	var under, bare []string
	ownFlags(command, func(f *pflag.Flag) {
		if cli.HeadingOf(f) != "" {
			under = append(under, f.Name)
		} else {
			bare = append(bare, f.Name)
		}
	})
	if len(under) > 0 && len(bare) > 0 {
		t.Errorf("in the help of %s %q have no heading", command.CommandPath(), bare)
	}
}

// tableOf returns the settings of a command as a Markdown table: flag, environment, default, and
// what they do, under the headings of the help.
func tableOf(command *cobra.Command) string {
	var table strings.Builder
	table.WriteString("\n| flag | environment | default | |\n|---|---|---|---|\n")
	heading := ""
	ownFlags(command, func(f *pflag.Flag) {
		if title := cli.HeadingOf(f); title != heading {
			heading = title
			fmt.Fprintf(&table, "| **%s** | | | |\n", heading)
		}
		name, usage := pflag.UnquoteUsage(f)
		usage, variables := cut(usage, environment)
		usage, byDefault := cut(usage, stated)
		if byDefault == "" && f.DefValue != "" && f.DefValue != "[]" {
			byDefault = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", strings.TrimSpace("--"+f.Name+" "+name),
			quoteNames(variables), plain(byDefault), plain(usage))
	})
	table.WriteString("\n")
	return table.String()
}

// ownFlags calls a function with each flag of a command but those that all commands have.
func ownFlags(command *cobra.Command, visit func(*pflag.Flag)) {
	command.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "version" {
			visit(f)
		}
	})
}

// The usage of a flag states its variables in brackets, and a default that is no value of its.
var (
	environment = regexp.MustCompile(` \[([^\]]*)\]`)
	stated      = regexp.MustCompile(` \(default:? ([^)]*)\)`)
	variable    = regexp.MustCompile(`\b[A-Z][A-Z_]{4,}\b`)
)

// cut takes the first match out of a text. It returns the rest, and the match's first group.
func cut(text string, pattern *regexp.Regexp) (rest, match string) {
	at := pattern.FindStringSubmatchIndex(text)
	if at == nil {
		return text, ""
	}
	return text[:at[0]] + text[at[1]:], text[at[2]:at[3]]
}

func quoteNames(text string) string { return variable.ReplaceAllString(text, "`$0`") }

func plain(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
