// Package breaking compares two versions of an OpenAPI document and lists the changes.
// It reports which changes break old nodes before a new orchestratord, and which break
// new nodes before an old one.
//
//	base, err := breaking.ReadBase(ctx, "v0.1.0", "openapi/nodes.yaml")
//	if err != nil {
//		return err
//	}
//	document, err := breaking.ReadFile("openapi/nodes.yaml")
//	if err != nil {
//		return err
//	}
//	report, err := breaking.Compare(ctx, base, document)
//	if err != nil {
//		return err
//	}
//	if report.Breaks(breaking.OldNodes) {
//		return report.Writers(breaking.OldNodes)["text"](os.Stdout)
//	}
package breaking

import (
	"context"
	"slices"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
)

// Source is the text of a document, with its name.
type Source = apidoc.Source

// ReadFile reads a document from a file, and the files that it refers to. Those have to be
// in the same folder or inside it. Without a path it returns the document that is compiled in.
func ReadFile(path string) (Source, error) { return apidoc.ReadFile(path) }

// ReadBase reads what a document is compared with. base names a file. If there is no such
// file, base is a git revision, and ReadBase reads the document as it was then.
func ReadBase(ctx context.Context, base, document string) (Source, error) {
	return apidoc.ReadBase(ctx, base, document)
}

// Party is somebody whom a change breaks.
type Party string

const (
	// OldNodes keep to the base, and meet an orchestratord that keeps to the document.
	OldNodes Party = "old nodes"
	// NewNodes keep to the document, and meet an orchestratord that keeps to the base.
	NewNodes Party = "new nodes"
	// Users use something optional of the base. They lose it, but nothing breaks.
	Users Party = "users of what was optional"
)

// Report is what has changed from one version of a document to another.
type Report struct {
	Base     string   `json:"base"`
	Document string   `json:"document"`
	Changes  []Change `json:"changes"` // the breaking ones first
	// Idle are the entries of the accept list that accept nothing.
	Idle []string `json:"idle,omitempty"`
}

// Change is one change that a client or a server can notice.
type Change struct {
	Breaks   []Party  `json:"breaks"` // none for a change that nobody has to mind
	Rule     string   `json:"rule"`   // oasdiff's name for the kind of change, or one like it
	Where    []string `json:"where"`  // the operations, none for the document as a whole
	What     string   `json:"what"`
	Why      string   `json:"why,omitempty"`      // it breaks
	File     string   `json:"file,omitempty"`     // of the new document
	Line     int      `json:"line,omitempty"`     // that of the first operation if no better is known
	Accepted string   `json:"accepted,omitempty"` // the reason, where the break was agreed on
}

// Breaks reports whether any change that was not accepted breaks one of the parties.
func (r *Report) Breaks(parties ...Party) bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool {
		return c.Accepted == "" &&
			slices.ContainsFunc(c.Breaks, func(p Party) bool { return slices.Contains(parties, p) })
	})
}

// Compare returns what has changed from base to document. It fails when one of them is
// not a valid OpenAPI document.
func Compare(ctx context.Context, base, document Source) (*Report, error) {
	before, calledBefore, err := load(ctx, base)
	if err != nil {
		return nil, err
	}
	after, calledAfter, err := load(ctx, document)
	if err != nil {
		return nil, err
	}
	keepPrefixes(before, after)
	renameSchemes(before, after, calledAfter)
	changes, err := compare(before, after, OldNodes, NewNodes)
	if err != nil {
		return nil, err
	}
	// In calls that nodes answer the parties are exchanged.
	calls, err := compare(calledBefore, calledAfter, NewNodes, OldNodes)
	if err != nil {
		return nil, err
	}
	isKnown := func(c Change) bool {
		same := func(known Change) bool { return known.Rule == c.Rule && known.What == c.What }
		return len(c.Where) == 0 && slices.ContainsFunc(changes, same)
	}
	// Both comparisons find what has changed in the document as a whole.
	changes = append(changes, slices.DeleteFunc(calls, isKnown)...)
	sortChanges(changes)
	return &Report{Base: base.Name, Document: document.Name, Changes: changes}, nil
}

// compare returns what has changed, as those see it who ask. A change breaks the one party
// if who asks keeps to the base, and the other if who answers does. The second is the same
// comparison with the documents swapped.
func compare(before, after version, asking, answered Party) ([]Change, error) {
	forth, err := findBreaks(before, after)
	if err != nil {
		return nil, err
	}
	back, err := findBreaks(after, before)
	if err != nil {
		return nil, err
	}
	back = slices.DeleteFunc(back, func(f finding) bool {
		return isHarmlessBackwards(f) || answered == OldNodes && isAboutPaths(f.rule) // a call that is new
	})
	for i := range back {
		back[i].where = place{} // it is a place in the old document
	}
	changes := gather(forth, asking, after)
	for _, change := range gather(back, answered, after) {
		changes = addBackwards(changes, change, asking)
	}
	return changes, nil
}
