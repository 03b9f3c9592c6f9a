package twoway

import (
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// response checks the response of the interaction at hand against the one that
// the document declares for its status. It need not have every header that the
// document requires: what a pact does not mention it does not ask for.
func (c *checker) response(spec *openapi3.Response) {
	response := &c.interaction.Response
	headers := declared{
		line:    line(spec.Origin, "headers"),
		headers: true,
		schemas: map[string]*openapi3.SchemaRef{"Content-Type": text()},
	}
	for name, header := range spec.Headers {
		headers.schemas[name] = header.Value.Schema
	}
	c.texts("/response/headers", response.Headers, headers)
	c.textRules("/response/matchingRules/header", response.Rules.Header, response.Headers, headers)
	if len(response.Rules.Status) > 0 {
		c.add("/response/matchingRules/status", 0, "the status is left open: an interaction expects one that the document declares")
	}
	switch {
	case len(spec.Content) > 0:
		// An error is understood by its status alone, a success is not.
		if response.Status < http.StatusBadRequest && response.Body.Empty() {
			c.add("/response/body", line(spec.Origin, "content"), "there is no body, and the document has one")
		}
		c.body(message{"/response", response.Headers, response.Body, response.Rules.Body}, spec.Content, openapi3.VisitAsResponse())
	case !response.Body.Empty():
		c.add("/response/body", line(spec.Origin, ""), "there is a body, and the document has none")
	}
}
