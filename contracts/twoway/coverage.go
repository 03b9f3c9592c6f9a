package twoway

import (
	"maps"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// Row is the coverage of one status of one operation.
type Row struct {
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Status    string `json:"statusCode"`
	// Declared is whether the document has the status, and Line where. Line is 0 where it
	// has not, or where its text is made by an overlay.
	Declared bool `json:"declared"`
	Line     int  `json:"line"`
	// Interactions are the descriptions of those that exercise it.
	Interactions []string `json:"interactions"`
	// Verified counts their results, when there are any.
	Verified *Verified `json:"verified,omitempty"`
	// Exempt is why no interaction has to exercise it.
	Exempt string `json:"exempt,omitempty"`
}

// verified reports whether every interaction that exercises the row has passed.
func (r Row) verified() bool {
	return r.Verified != nil && r.Verified.Passed == len(r.Interactions)
}

// coverage maps each status of each operation to the interactions that exercise it.
type coverage struct {
	operations   []*operation
	interactions map[cell][]*pactfile.Interaction
}

type cell struct {
	operation *operation
	status    string
}

func newCoverage(document *Document) *coverage {
	return &coverage{operations: document.operations, interactions: map[cell][]*pactfile.Interaction{}}
}

func (c *coverage) exercise(op *operation, status string, interaction *pactfile.Interaction) {
	at := cell{op, status}
	c.interactions[at] = append(c.interactions[at], interaction)
}

// matrix returns the matrix in the order of the document, and what is missing from
// it.
func (c *coverage) matrix(in Input) ([]Row, []Finding) {
	verification := newVerification(in.Results)
	rows := []Row{} // in JSON no list is null
	var findings []Finding
	for _, op := range c.operations {
		for _, status := range c.statuses(op) {
			row := c.row(op, status)
			row.Verified = verification.count(c.interactions[cell{op, status}])
			row.Exempt = in.Exemptions.reason(op.name, status)
			if row.Declared && len(row.Interactions) == 0 && row.Exempt == "" {
				findings = append(findings, Finding{
					Pointer: op.pointerTo(status),
					File:    in.Document.name,
					Line:    row.Line,
					Message: "no interaction exercises " + status + " of " + op.name + ", and it is not exempt",
				})
			}
			rows = append(rows, row)
		}
	}
	findings = append(findings, in.Exemptions.unneeded(rows)...)
	return rows, append(findings, verification.leftOpen(in.Pact)...)
}

// statuses returns what the document declares for the operation, and what
// interactions expect of it besides.
func (c *coverage) statuses(op *operation) []string {
	statuses := slices.Collect(maps.Keys(op.spec.Responses.Map()))
	for at := range c.interactions {
		if at.operation == op {
			statuses = append(statuses, at.status)
		}
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

func (c *coverage) row(op *operation, status string) Row {
	row := Row{Operation: op.name, Method: op.method, Path: op.template, Status: status, Interactions: []string{}}
	if ref := op.spec.Responses.Value(status); ref != nil {
		row.Declared, row.Line = true, line(ref.Origin, "")
	}
	for _, interaction := range c.interactions[cell{op, status}] {
		row.Interactions = append(row.Interactions, interaction.Description)
	}
	return row
}

// pointerTo returns the JSON pointer to a response of the document.
func (op *operation) pointerTo(status string) string {
	return jsonpointer.Join("/paths", op.template, strings.ToLower(op.method), "responses", status)
}
