package mockserver

import "fmt"

// Validation is what becomes of requests that break the document. Fields and query
// parameters that it does not name break nothing, but Drift lists them as well.
type Validation string

const (
	// Strict refuses a request that breaks the document, with 422.
	Strict Validation = "strict"
	// Report takes from such a request what keeps the document, and passes over the
	// rest: a node on another version runs, and Drift lists how it departs. Refused is
	// only what cannot be read, such as a registration without a node id.
	Report Validation = "report"
	// Off stops the server from checking requests and its own answers against the document.
	// Refused is only what the types of the document cannot hold. Nodes that registered
	// meanwhile are listed as they are, even when the server validates again.
	Off Validation = "off"
)

func (v Validation) check() error {
	switch v {
	case Strict, Report, Off:
		return nil
	}
	return fmt.Errorf("validation %q: must be %s, %s or %s", v, Strict, Report, Off)
}
