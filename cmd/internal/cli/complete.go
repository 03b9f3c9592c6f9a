package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Choices has the shell complete the value of a flag to one of the choices.
func Choices(command *cobra.Command, flag string, choices ...string) {
	complete(command, flag, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

// FileArgs has the shell complete arguments to names of files that end in one of the extensions,
// which are without a dot.
func FileArgs(extensions ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

// completeValues has the shell complete the values of the flags of a command that have no
// choices. Their usage says what they are: a `file`, a `directory`, or nothing to complete.
func completeValues(command *cobra.Command) {
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if _, chosen := command.GetFlagCompletionFunc(flag.Name); chosen {
			return
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		switch name, _ := pflag.UnquoteUsage(flag); name {
		case "file":
			directive = cobra.ShellCompDirectiveDefault
		case "directory":
			directive = cobra.ShellCompDirectiveFilterDirs
		}
		complete(command, flag.Name, cobra.FixedCompletions(nil, directive))
	})
	if command.ValidArgsFunction == nil {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, below := range command.Commands() {
		completeValues(below)
	}
}

// refuseOtherShells refuses to complete for a shell that there is no script for, which cobra answers with help.
func refuseOtherShells(root *cobra.Command, args []string) {
	root.InitDefaultCompletionCmd(args...)
	completion, _, err := root.Find([]string{"completion"})
	if err != nil || completion == root {
		return
	}
	completion.DisableFlagsInUseLine = true // it has none
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return completion.Help()
		}
		return unknownCommand(completion, args)
	}
	for _, shell := range completion.Commands() {
		shell.Args = NoArgs
	}
}

// describePlainly takes the marks out of the usages of flags, by which the help finds the names of
// their values. A shell shows usages as they are.
func describePlainly(command *cobra.Command) {
	command.Flags().VisitAll(func(flag *pflag.Flag) { _, flag.Usage = pflag.UnquoteUsage(flag) })
	for _, below := range command.Commands() {
		describePlainly(below)
	}
}

func complete(command *cobra.Command, flag string, with cobra.CompletionFunc) {
	_ = command.RegisterFlagCompletionFunc(flag, with) // fails only for a flag that is not there
}
