package twoway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// response checks the response of the current interaction against the one that the document
// declares for its status. The response may lack what the document requires, since a pact
// demands only what it mentions. But the document has to require everything in it, since a
// provider may leave out the rest.
func (c *checker) response(spec *openapi3.Response) {
	response := &c.interaction.Response
	headers := declared{
		line: line(spec.Origin, "headers"), headers: true, answer: true,
		parameters: map[string]*openapi3.Parameter{},
	}
	for _, name := range []string{
		"Connection", "Content-Length", "Content-Type", "Date", "Server",
		"Transfer-Encoding",
	} {
		headers.parameters[name] = undescribed() // OpenAPI has other places for these, or none
	}
	for name, header := range spec.Headers {
		headers.parameters[name] = &header.Value.Parameter
		if !header.Value.Required && valuesOf(response.Headers, name, true) != nil {
			c.add(jsonpointer.Join("/response/headers", name), line(header.Value.Origin, ""),
				"the document does not require %s", name)
		}
	}
	c.texts("/response/headers", response.Headers, headers)
	c.exactHeaders(headers)
	c.textRules("/response/matchingRules/header", response.Rules.Header, response.Headers, headers)
	if len(response.Rules.Status) > 0 {
		c.add("/response/matchingRules/status", 0,
			"the status is left open: an interaction expects one that the document declares")
	}
	switch {
	case len(spec.Content) > 0:
		// A consumer need not read the body, but one that is stated as empty has to be empty.
		if response.Status < http.StatusBadRequest && response.Body != nil && response.Body.Empty() {
			c.add("/response/body", line(spec.Origin, "content"), "the body has to be empty, and the document has one")
		}
		m := message{"/response", response.Headers, response.Body, response.Rules.Body, true}
		if s := c.body(m, spec.Content, openapi3.VisitAsResponse()); s != nil {
			c.optional("/response/body/content", response.Body.AsJSON(), s)
		}
	case !response.Body.Empty():
		c.add("/response/body", line(spec.Origin, ""), "there is a body, and the document has none")
	}
}

// exactHeaders finds the headers that are demanded as they are, and left open by the
// document.
func (c *checker) exactHeaders(headers declared) {
	response := &c.interaction.Response
	for name, each := range response.Headers {
		parameter, _ := headers.parameter(name)
		if parameter == nil || parameter.Schema == nil || hasRule(response.Rules.Header, name) {
			continue
		}
		for _, text := range each {
			c.exactNumber(jsonpointer.Join("/response/headers", name), text, shapeOf(parameter.Schema))
		}
	}
}

// exactNumber finds a number that a header has to be, and need not be by the document.
func (c *checker) exactNumber(pointer, text string, s shape) {
	if number, isNumber := typed(text, s).(float64); isNumber {
		c.exactly(pointer, number, s)
	}
}

func hasRule(rules map[string][]pactfile.Matcher, name string) bool {
	for ruled := range rules {
		if base, _ := indexed(ruled); strings.EqualFold(base, name) {
			return true
		}
	}
	return false
}

// optional finds the fields of a value that the document does not require.
func (c *checker) optional(pointer string, value any, s shape) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			if inner := s.field(name); inner != nil { // undeclared fields are found elsewhere
				if s.optional(name) {
					c.add(jsonpointer.Join(pointer, name), s.line(), "the document does not require the field %q", name)
				}
				c.optional(jsonpointer.Join(pointer, name), field, inner)
			}
		}
	case []any:
		for i, item := range value {
			c.optional(jsonpointer.Join(pointer, fmt.Sprint(i)), item, s.items())
		}
	}
}
