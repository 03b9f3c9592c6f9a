package twoway

import (
	"maps"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
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
	c.missing(op, openapi3.ParameterInCookie, cookies(request.Headers))
	c.unauthorized(op)
	switch {
	case op.spec.RequestBody != nil:
		body := op.spec.RequestBody.Value
		if body.Required && request.Body.Empty() {
			c.add("/request/body", line(body.Origin, "required"), "there is no body, and the document requires one")
		}
		m := message{"/request", request.Headers, request.Body, request.Rules.Body, false}
		c.body(m, body.Content, openapi3.VisitAsRequest())
	case !request.Body.Empty():
		c.add("/request/body", line(op.spec.Origin, ""), "there is a body, and the document has none")
	}
}

func (c *checker) pathValues(op *operation, values map[string]string) {
	parameters := op.parametersIn(openapi3.ParameterInPath)
	for name, value := range values {
		if parameter := parameters.parameters[name]; parameter != nil {
			schema := apidoc.SchemaOf(parameter)
			if s := shapeOf(schema); s.allows(openapi3.TypeArray) && len(s.types()) > 0 {
				c.value("/request/path", items(parameter, []string{value}, s.items()), schema)
			} else {
				c.value("/request/path", typed(value, s), schema)
			}
		}
	}
}

// isMeantToFail reports whether a status says that the request broke the contract. The media
// type or content of its body is then wrong on purpose, or something required is missing. Its
// path and everything else have to keep the document.
func isMeantToFail(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// missing finds the parameters that the document requires and a part of the
// request does not have.
func (c *checker) missing(op *operation, in string, values map[string][]string) {
	for _, ref := range op.parameters {
		if p := ref.Value; p.In == in && p.Required && !isThere(p, values) {
			c.add("/request", line(p.Origin, "required"),
				"the %s parameter %s is missing, and the document requires it", in, p.Name)
		}
	}
}

// isThere reports whether some values have one for a parameter.
func isThere(p *openapi3.Parameter, values map[string][]string) bool {
	d := declared{
		headers: p.In == openapi3.ParameterInHeader, parameters: map[string]*openapi3.Parameter{p.Name: p},
	}
	for name := range values {
		if found, _ := d.parameter(name); found != nil {
			return true
		}
	}
	return false
}

// parametersIn returns what the operation declares for a part of its requests.
func (op *operation) parametersIn(in string) declared {
	d := declared{
		line:       line(op.spec.Origin, "parameters"),
		headers:    in == openapi3.ParameterInHeader,
		parameters: map[string]*openapi3.Parameter{},
	}
	if d.headers {
		// OpenAPI has other places for these than a parameter, or none.
		for _, name := range []string{
			"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Connection", "Content-Length",
			"Content-Type",
			"Date", "Host", "User-Agent",
		} {
			d.parameters[name] = undescribed()
		}
	}
	maps.Copy(d.parameters, op.credentials[in])
	for _, ref := range op.parameters {
		switch {
		case ref.Value.In == in:
			d.parameters[ref.Value.Name] = ref.Value
		case ref.Value.In == openapi3.ParameterInCookie && d.headers:
			d.parameters["Cookie"] = undescribed()
		}
	}
	return d
}

// undescribed returns a parameter whose values the document does not describe.
func undescribed() *openapi3.Parameter { return &openapi3.Parameter{} }

// cookies returns the cookies of a request, those with characters that are not allowed as well.
func cookies(headers http.Header) map[string][]string {
	found := map[string][]string{}
	for _, line := range valuesOf(headers, "Cookie", true) {
		for cookie := range strings.SplitSeq(line, ";") {
			if name, value, named := strings.Cut(strings.TrimSpace(cookie), "="); named {
				found[name] = append(found[name], value)
			}
		}
	}
	return found
}
