// Package breaking tells whether a new version of an OpenAPI document breaks
// those who keep to an older one.
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
//	if report.Breaks() {
//		return report.WriteText(os.Stdout)
//	}
package breaking

import (
	"context"
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

// Report is what has changed from one version of a document to another.
type Report struct {
	Base     string   `json:"base"`
	Document string   `json:"document"`
	Changes  []Change `json:"changes"` // the breaking ones first
}

// Change is one change that a client or a server can notice.
type Change struct {
	Breaking bool     `json:"breaking"`
	Rule     string   `json:"rule"`  // oasdiff's name for the kind of change
	Where    []string `json:"where"` // the operations, none for the document as a whole
	What     string   `json:"what"`
	Why      string   `json:"why,omitempty"`  // it breaks
	Line     int      `json:"line,omitempty"` // of the new document: that of the first operation if no better is known
}

// Breaks reports whether any of the changes does.
func (r *Report) Breaks() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Breaking })
}

// Compare returns what has changed from base to document. It fails when one of
// them is not a valid OpenAPI document.
func Compare(ctx context.Context, base, document Source) (*Report, error) {
	before, err := base.load(ctx)
	if err != nil {
		return nil, err
	}
	after, err := document.load(ctx)
	if err != nil {
		return nil, err
	}
	difference, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), before, after)
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s: %w", base.Name, document.Name, err)
	}
	found := checker.CheckBackwardCompatibilityUntilLevel(checker.NewConfig(append(checker.GetAllChecks(), closedRequests)), difference, sources, checker.INFO)
	return &Report{Base: base.Name, Document: document.Name, Changes: gather(found, after.Spec)}, nil
}

func (s Source) load(ctx context.Context) (*load.SpecInfo, error) {
	// A document that is none would pass for one that promises nothing.
	plain, err := openapi3.NewLoader().LoadFromData(s.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	if err := plain.Validate(ctx, openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	// Only in the flattened schema does a field that one part of an allOf has and
	// another requires count as required.
	info, err := load.NewSpecInfoFromData(loader, s.Data, s.Name, load.WithFlattenAllOf())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return info, nil
}
