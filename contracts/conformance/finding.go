package conformance

import (
	"fmt"
	"slices"
)

// Level says how much of the document an orchestratord has to keep.
type Level string

const (
	// Nodes is the part that a node depends on. Of an error, that is the status alone.
	Nodes Level = "nodes"
	// Document is all of the document, the bodies of errors included.
	Document Level = "document"
)

// Finding is one way in which an orchestratord departs from the contract.
type Finding struct {
	Check     string   // the check that found it, such as "state"
	Level     Level    // the lowest at which it counts
	Operation string   // the operation, by its name in the document
	Place     string   // what is broken: a field of the answer, a header, a rule
	Expected  string   // what the contract says
	Got       string   // what came instead
	Replay    []string // curl commands that show it, in order
	Times     int      // how often it was seen
}

// String says what is wrong, on one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: expected %s, got %s", f.Operation, f.Place, f.Expected, f.Got)
}

// isAmong reports whether there is a finding of the same cause.
func (f Finding) isAmong(found []Finding) bool {
	return slices.ContainsFunc(found, func(other Finding) bool { return other.key() == f.key() })
}

// key is the same for two findings of one cause.
func (f Finding) key() [4]string {
	return [4]string{string(f.Level), f.Operation, f.Place, f.Expected}
}
