package cli

import (
	"errors"
	"regexp"
	"strings"
)

// ByFlags rewords an error of a library, or each of several that are joined: it begins with a flag where it
// began with the name of a setting. The keys of flags are those names. An error that begins with none of them
// stays as it is. One whose flag is empty is left out.
func ByFlags(err error, flags map[string]string) error {
	if err == nil {
		return nil
	}
	if several, is := err.(interface{ Unwrap() []error }); is {
		var each []error
		for _, one := range several.Unwrap() {
			each = append(each, ByFlags(one, flags))
		}
		return errors.Join(each...)
	}
	for setting, flag := range flags {
		rest, is := strings.CutPrefix(err.Error(), setting)
		switch {
		case is && flag == "":
			return nil
		case is:
			return byFlag{flag + item.ReplaceAllString(rest, ""), err}
		}
	}
	return err
}

// item is the index of a value in a list. Its flag is given once for each value, and has no index.
var item = regexp.MustCompile(`^/[0-9]+`)

// byFlag is an error in the words of the command line.
type byFlag struct {
	text string
	error
}

func (b byFlag) Error() string { return b.text }
func (b byFlag) Unwrap() error { return b.error }
