package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// EnvToken is the environment variable that nodes read their token from (CLOUD-4003).
const EnvToken = "LLORCH_API_TOKEN"

// Token returns the token of a flag, or of a variable of the environment if the flag is not given. An
// empty flag says that there is no token.
func Token(flags *pflag.FlagSet, flag, variable string, getenv func(string) string) (string, error) {
	name, stated := "--"+flag, flags.Lookup(flag).Value.String()
	if !flags.Changed(flag) {
		name, stated = variable, getenv(variable)
	}
	token, err := TrimToken(stated)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return token, nil
}

// IsEmptied reports whether a flag is given and empty, whereupon no variable of the environment takes its place.
func IsEmptied(flags *pflag.FlagSet, flag string) bool {
	return flags.Changed(flag) && flags.Lookup(flag).Value.String() == ""
}

// TrimToken returns a token without the white space around it. A secret that was written to a file
// often has a line break at its end. White space alone is an error, since it would pass for none.
func TrimToken(text string) (string, error) {
	token := strings.TrimSpace(text)
	if token == "" && text != "" {
		return "", fmt.Errorf("%q is white space alone, and no token", text)
	}
	return token, nil
}
