// Package cli is the shared frame of this repository's programs: the context that ends on a
// signal, the execution of a command line, its errors, and --version.
package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// CollectErrors makes a flag set go on after a value that it cannot parse, so that one run
// reports every bad flag. Call it when all flags are defined; the function that it returns has
// the errors once the flags are parsed.
func CollectErrors(flags *pflag.FlagSet) func() error {
	var wrong []error
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.DefValue == "[]" {
			flag.DefValue = "" // help leaves an empty list out only where it knows its type
		}
		flag.Value = collecting{flag.Value, func(text string, err error) {
			wrong = append(wrong, fmt.Errorf("--%s is %q: %w", flag.Name, text, err))
		}}
	})
	return func() error { return errors.Join(wrong...) }
}

// collecting is a flag's value that passes errors to complain. It then restores the value
// before, which causes no further complaints.
type collecting struct {
	pflag.Value
	complain func(text string, err error)
}

// Set fails for no text.
func (c collecting) Set(text string) error {
	before := c.String()
	if err := c.Value.Set(text); err != nil {
		c.complain(text, err)
		return c.Value.Set(before)
	}
	return nil
}
