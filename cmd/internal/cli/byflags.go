package cli

import (
	"errors"
	"regexp"
	"strings"
)

// ByFlags returns an error of a library, or several that are joined, that call settings by their flags. Flags
// has these by the beginnings of such errors. An error without a flag stays as it is. One whose flag is empty
// is left out.
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

// item is the place of a value in the list that a flag makes.
var item = regexp.MustCompile(`^/[0-9]+`)

// byFlag is an error in other words.
type byFlag struct {
	text string
	error
}

func (b byFlag) Error() string { return b.text }
func (b byFlag) Unwrap() error { return b.error }
