package twoway

import (
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// request checks the request of the interaction at hand; values are what its path
// has for the parameters of the operation.
func (c *checker) request(op *operation, values map[string]string) {
	request := &c.interaction.Request
	query, headers := op.parametersIn(openapi3.ParameterInQuery), op.parametersIn(openapi3.ParameterInHeader)
	c.pathValues(op, values)
	c.texts("/request/query", request.Query, query)
	c.texts("/request/headers", request.Headers, headers)
	c.pathRules(op)
	c.textRules("/request/matchingRules/query", request.Rules.Query, request.Query, query)
	c.textRules("/request/matchingRules/header", request.Rules.Header, request.Headers, headers)
	if isMeantToFail(c.interaction.Response.Status) {
		return
	}
	c.missing(op, openapi3.ParameterInQuery, request.Query)
	c.missing(op, openapi3.ParameterInHeader, request.Headers)
	switch {
	case op.spec.RequestBody != nil:
		body := op.spec.RequestBody.Value
		if body.Required && request.Body.Empty() {
			c.add("/request/body", line(body.Origin, "required"), "there is no body, and the document requires one")
		}
		c.body(message{"/request", request.Headers, request.Body, request.Rules.Body}, body.Content, openapi3.VisitAsRequest())
	case !request.Body.Empty():
		c.add("/request/body", line(op.spec.Origin, ""), "there is a body, and the document has none")
	}
}

func (c *checker) pathValues(op *operation, values map[string]string) {
	parameters := op.parametersIn(openapi3.ParameterInPath)
	for name, value := range values {
		if schema := parameters.schema(name); schema != nil {
			c.value("/request/path", typed(value, shapeOf(schema)), schema)
		}
	}
}

// isMeantToFail reports whether a status says that the request broke the
// contract. Its body is then wrong on purpose, in its media type or its content, or
// something that is required is missing; where it goes, and what it says besides,
// is held to the document like any other request.
func isMeantToFail(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// missing finds the parameters that the document requires and a part of the
// request does not have.
func (c *checker) missing(op *operation, in string, values map[string][]string) {
	for _, ref := range op.parameters {
		if p := ref.Value; p.In == in && p.Required && valuesOf(values, p.Name) == nil {
			c.add("/request", line(p.Origin, "required"), "the %s parameter %s is missing, and the document requires it", in, p.Name)
		}
	}
}

// parametersIn returns what the operation declares for a part of its requests.
func (op *operation) parametersIn(in string) declared {
	d := declared{
		line:    line(op.spec.Origin, "parameters"),
		headers: in == openapi3.ParameterInHeader,
		schemas: map[string]*openapi3.SchemaRef{},
	}
	if d.headers {
		// OpenAPI has other places for these than a parameter.
		d.schemas["Accept"], d.schemas["Content-Type"] = text(), text()
		if op.secured {
			d.schemas["Authorization"] = text()
		}
	}
	for _, ref := range op.parameters {
		if ref.Value.In == in {
			d.schemas[ref.Value.Name] = ref.Value.Schema
		}
	}
	return d
}

// text returns the schema of a string of which the document says no more.
func text() *openapi3.SchemaRef {
	return openapi3.NewStringSchema().NewRef()
}
