package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// CollectErrors makes a flag set go on after a value that it cannot parse, so that one run
// reports every bad flag. Call it when all flags are defined; the function that it returns has
// the errors once the flags are parsed.
func CollectErrors(flags *pflag.FlagSet) func() error {
	var wrong []error
	flags.VisitAll(func(flag *pflag.Flag) {
		stated := strings.Contains(flag.Usage, "(default ")
		if stated || flag.DefValue == "[]" {
			flag.DefValue = "" // help leaves an empty list out only where it knows its type
		}
		flag.Value = collecting{flag.Value, func(text string, err error) {
			wrong = append(wrong, wrongValue(flag, text, err))
		}}
	})
	return func() error { return errors.Join(wrong...) }
}

// collecting is a flag's value that passes errors to complain. It then restores the value
// before, which causes no further complaints, even if it came from a bad environment.
type collecting struct {
	pflag.Value
	complain func(text string, err error)
}

// Set fails for no text.
func (c collecting) Set(text string) error {
	before := c.String()
	if err := c.Value.Set(text); err != nil {
		c.complain(text, err)
		_ = c.Value.Set(before)
	}
	return nil
}

// expected says what a value of a type must be.
var expected = map[string]string{
	"duration": "must be a number with a unit, such as 500ms, 10s or 2m",
	"int":      "must be a whole number",
	"uint64":   "must be a whole number of 0 or more",
	"float64":  "must be a number",
	"bool":     "must be true or false",
}

// wrongValue says what is wrong with the value of a flag. A value with an @, a ? or a # is not
// repeated, since it may be a URL with a password.
func wrongValue(flag *pflag.Flag, text string, err error) error {
	if must, known := expected[flag.Value.Type()]; known {
		err = errors.New(must)
	}
	if strings.ContainsAny(text, "@?#") {
		return fmt.Errorf("--%s: %w", flag.Name, err)
	}
	return fmt.Errorf("--%s is %q: %w", flag.Name, text, err)
}
