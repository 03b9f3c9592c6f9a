package registration

import (
	"errors"
	"fmt"
	"strings"
)

// faults lists what is wrong with a status: the first few, and how many there are.
type faults struct {
	first []string
	count int
}

// maxFaults is how many faults an error lists.
const maxFaults = 5

func (f *faults) add(format string, args ...any) {
	if f.count++; f.count <= maxFaults {
		f.first = append(f.first, fmt.Sprintf(format, args...))
	}
}

func (f *faults) err(what string) error {
	if f.count == 0 {
		return nil
	}
	list := strings.Join(f.first, "; ")
	if f.count > maxFaults {
		list += fmt.Sprintf("; and %d more", f.count-maxFaults)
	}
	return faultOf(what, errors.New(list))
}

// fault is an error in what the callback did or returned. Its text is bounded and safe to log.
type fault struct {
	text  string
	cause error
}

func faultOf(what string, cause error) error {
	return &fault{text: what + ": " + clean(cause.Error(), maxDetail), cause: cause}
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }
