// Package twoway compares a pact and an OpenAPI document, both ways. Examples and matchers
// of the pact have to be valid by the document. Every status that the document declares has
// to be exercised by the pact, or be exempt for a reason.
//
// A consumer may read only part of an answer. The document has to require that part, and the
// pact must not demand narrower values than the document promises. The matchers of a request
// must not allow anything that the document forbids.
//
//	document, err := twoway.Load(ctx, "openapi/nodes.yaml")
//	if err != nil {
//		return err
//	}
//	pact, err := pactfile.Read("contracts/pacts/pool-managerd-orchestratord.json")
//	if err != nil {
//		return err
//	}
//	report := twoway.Check(twoway.Input{Document: document, Pact: pact})
//	for _, finding := range report.Findings {
//		fmt.Println(finding)
//	}
package twoway

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// Input is what a check looks at.
type Input struct {
	Document   *Document
	Pact       *pactfile.File
	Exemptions *Exemptions      // nil for none
	Results    *results.Results // of the verification of a provider, nil where there was none
}

// Check compares the pact and the document with each other.
func Check(in Input) *Report {
	c := checker{
		document: in.Document, coverage: newCoverage(in.Document), answers: map[string]answer{},
		mentioned: mentions(in.Pact), findings: []Finding{},
	}
	for i := range in.Pact.Interactions {
		c.compare(&in.Pact.Interactions[i])
	}
	c.identity(in.Pact)
	c.contradictions(in.Pact)
	c.states(in.Pact)
	rows, findings := c.coverage.matrix(in)
	return &Report{
		Document: in.Document.name,
		Consumer: in.Pact.Consumer,
		Provider: in.Pact.Provider,
		Coverage: rows,
		Findings: append(c.findings, findings...),
	}
}

// checker collects what is wrong with a pact, one interaction after the other.
type checker struct {
	document    *Document
	coverage    *coverage
	answers     map[string]answer     // to what was asked already of matchers and schemas
	mentioned   map[string]bool       // the texts in requests and states of the pact
	interaction *pactfile.Interaction // the one at hand
	findings    []Finding
}

func (c *checker) compare(interaction *pactfile.Interaction) {
	c.interaction = interaction
	first := len(c.findings)
	c.exchange()
	slices.SortStableFunc(c.findings[first:], func(a, b Finding) int { return cmp.Compare(a.Pointer, b.Pointer) })
}

// exchange checks the request of the interaction, and the response to it.
func (c *checker) exchange() {
	request, response := &c.interaction.Request, &c.interaction.Response
	op, values := c.document.route(request.Method, request.Path)
	if op == nil {
		c.add("/request/path", 0, "the document has no %s %s", request.Method, request.Path)
		return
	}
	c.request(op, values)
	status, declared := op.response(response.Status)
	c.coverage.exercise(op, status, c.interaction)
	if declared == nil {
		c.add("/response/status", line(op.spec.Origin, "responses"), "the document declares no %d for %s",
			response.Status, op.name)
		return
	}
	c.response(declared)
}

// add records a finding about the interaction at hand.
func (c *checker) add(pointer string, line int, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Interaction: c.interaction.Description,
		Pointer:     pointer,
		File:        c.document.name,
		Line:        line,
		Message:     fmt.Sprintf(format, args...),
	})
}

// value checks a JSON value against its schema.
func (c *checker) value(
	pointer string, value any, schema *openapi3.SchemaRef, options ...openapi3.SchemaValidationOption,
) {
	options = append(options, openapi3.MultiErrors(), openapi3.EnableFormatValidation())
	if c.document.is31 && apidoc.IsOf31(schema) { // the usual validator has plainer messages
		options = append(options, openapi3.EnableJSONSchema2020())
	}
	err := readable(schema).Value.VisitJSON(value, options...)
	all := schemaErrors(err)
	if err != nil && len(all) == 0 {
		c.add(pointer, line(schema.Value.Origin, ""), "the document's schema cannot be checked: %v", err)
	}
	for _, broken := range all {
		at := 0
		if broken.Schema != nil {
			at = line(broken.Schema.Origin, broken.SchemaField)
		}
		c.add(jsonpointer.Join(pointer, broken.JSONPointer()...), at, "%s", broken.Reason)
	}
	c.undeclared(pointer, value, shapeOf(schema))
}

// undeclared finds the fields of a value that the document does not have. The
// contract lets both sides ignore such fields, but a consumer that sends or
// demands one relies on something that nobody has promised.
func (c *checker) undeclared(pointer string, value any, s shape) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			if inner := s.field(name); inner != nil {
				c.undeclared(jsonpointer.Join(pointer, name), field, inner)
			} else {
				c.add(jsonpointer.Join(pointer, name), s.line(), "the document has no field %q here", name)
			}
		}
	case []any:
		for i, item := range value {
			c.undeclared(jsonpointer.Join(pointer, fmt.Sprint(i)), item, s.items())
		}
	}
}
