package mockserver

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// controlBodyLimit is how many bytes a body of the control API may have. It has room for
// as many nodes as a fixture may have, if little is said of each.
const controlBodyLimit = 16 << 20

// checkControlRequest holds a request of the control API to its document, and leaves the
// body for the handler. Nothing may be in a request that the document does not name.
func (s *Server) checkControlRequest(x *exchange) error {
	contract, err := s.controlContract()
	if err != nil {
		return err
	}
	r := x.request
	if err := contract.checkParameters(r); err != nil {
		return err
	}
	declared := contract.declared(r).RequestBody
	if declared == nil {
		return nil
	}
	value, err := contract.readControlBody(x.client, r, declared.Value.Content)
	x.setBody(value)
	return err
}

// checkParameters returns everything that is wrong with the parameters of a request. If
// nothing is, it adds those that are missing and have a default.
func (c *contract) checkParameters(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem(codeInvalidParameter, "the query cannot be read: %v", err)
	}
	declared := c.declared(r).Parameters
	var wrong []string
	for _, ref := range declared {
		if complaint := c.checkParameter(r, query, ref.Value); complaint != "" {
			wrong = append(wrong, fmt.Sprintf("parameter %q: %s", ref.Value.Name, complaint))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if declared.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			wrong = append(wrong, unknownParameter(quote(r, name), declared))
		}
	}
	if wrong == nil {
		r.URL = withDefaults(r.URL, query, declared)
		return nil
	}
	return newProblem(codeInvalidParameter, "%s", strings.Join(wrong, "; "))
}

// withDefaults returns the URL of a request with the parameters that it leaves out.
func withDefaults(given *url.URL, query url.Values, declared openapi3.Parameters) *url.URL {
	for _, ref := range declared {
		preset := ref.Value.Schema.Value.Default
		if ref.Value.In == openapi3.ParameterInQuery && preset != nil && !query.Has(ref.Value.Name) {
			query.Set(ref.Value.Name, fmt.Sprint(preset))
		}
	}
	complete := *given
	complete.RawQuery = query.Encode()
	return &complete
}

// checkParameter returns what is wrong with one parameter, or "".
func (c *contract) checkParameter(r *http.Request, query url.Values, parameter *openapi3.Parameter) string {
	var given []string
	switch parameter.In {
	case openapi3.ParameterInQuery:
		given = query[parameter.Name]
	case openapi3.ParameterInHeader:
		given = r.Header.Values(parameter.Name)
	case openapi3.ParameterInPath:
		given = []string{pathParameter(r, parameter.Name)}
	}
	switch {
	case len(given) == 0: // the ones in the path are always there, and no other is required
		return ""
	case len(given) > 1:
		return fmt.Sprintf("must be there once, not %d times", len(given))
	}
	schema := parameter.Schema.Value
	if err := c.check(schema, scalar(schema, given[0]), openapi3.VisitAsRequest()); err != nil {
		return c.violations(err)[0].Detail
	}
	return ""
}

// scalar returns the value that a text stands for, or the text where it is none that the
// schema could mean.
func scalar(schema *openapi3.Schema, text string) any {
	if schema.Type.Is(openapi3.TypeInteger) {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(text)
		}
	}
	return text
}

func unknownParameter(name string, declared openapi3.Parameters) string {
	var known []string
	for _, ref := range declared {
		if ref.Value.In == openapi3.ParameterInQuery {
			known = append(known, ref.Value.Name)
		}
	}
	if near := document.Nearest(name, known); near != "" {
		return fmt.Sprintf("there is no parameter %q, perhaps %q is meant", name, near)
	}
	if len(known) == 0 {
		return fmt.Sprintf("there is no parameter %q, nor any other", name)
	}
	return fmt.Sprintf("there is no parameter %q, but %s", name, strings.Join(known, ", "))
}

// readControlBody returns the value of a body, or everything that is wrong with it.
func (c *contract) readControlBody(w http.ResponseWriter, r *http.Request, declared openapi3.Content) (any, error) {
	form, unfit := formOf(r, declared)
	if unfit != nil {
		return nil, unfit.problem()
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, controlBodyLimit))
	if err != nil {
		return nil, unreadable(err)
	}
	value, err := decodeJSON(text)
	if err != nil {
		return nil, newProblem(nodeapi.ProblemCodeMalformedBody, "%v", err)
	}
	options := []openapi3.SchemaValidationOption{openapi3.VisitAsRequest()}
	if len(text) <= accountable {
		options = append(options, openapi3.MultiErrors())
	}
	if err := c.check(form.Schema.Value, value, options...); err != nil {
		return nil, violationProblem(c.violations(err))
	}
	return value, nil
}
