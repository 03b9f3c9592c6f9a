package cli

import (
	"errors"

	"github.com/spf13/pflag"
)

// File returns the value of a flag that names a file. It refuses an empty name: a variable of a script that is not
// set must not choose the default.
func File(name *string) pflag.Value { return (*fileValue)(name) }

type fileValue string

// Set sets the name.
func (f *fileValue) Set(name string) error {
	if name == "" {
		return errors.New("a file has a name")
	}
	*f = fileValue(name)
	return nil
}

// String returns the name.
func (f *fileValue) String() string { return string(*f) }

// Type is that of any text.
func (*fileValue) Type() string { return "string" }
