package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/nearest"
	"github.com/llama-orch/node-registration/mockserver/internal/bind"
)

// CheckParameters returns everything that is wrong with the parameters of a request, in one
// error. If nothing is, it adds those that are missing and have a default. Names that a client
// made up are repeated as quote lets them be.
func (d *Document) CheckParameters(o *Operation, r *http.Request, quote func(string) string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("the query cannot be read: %w", err)
	}
	var wrong []string
	for _, ref := range o.parameters {
		if complaint := d.checkParameter(r, query, ref.Value, quote); complaint != "" {
			wrong = append(wrong, fmt.Sprintf("parameter %q: %s", ref.Value.Name, complaint))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !o.HasQuery(name) {
			wrong = append(wrong, unknownParameter(quote(name), o.parameters))
		}
	}
	if wrong == nil {
		r.URL = withDefaults(r.URL, query, o.parameters)
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// withDefaults returns the URL of a request with the parameters that it leaves out.
func withDefaults(given *url.URL, query url.Values, parameters openapi3.Parameters) *url.URL {
	for _, ref := range parameters {
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
func (d *Document) checkParameter(
	r *http.Request, query url.Values, parameter *openapi3.Parameter, quote func(string) string,
) string {
	var given []string
	switch parameter.In {
	case openapi3.ParameterInQuery:
		given = query[parameter.Name]
	case openapi3.ParameterInHeader:
		given = r.Header.Values(parameter.Name)
	case openapi3.ParameterInPath:
		given = []string{bind.InPath(r, parameter.Name)}
	}
	switch {
	case len(given) == 0: // the ones in the path are always there, and no other is required
		return ""
	case len(given) > 1:
		return fmt.Sprintf("must be there once, not %d times", len(given))
	}
	schema := parameter.Schema.Value
	if err := d.check(schema, scalar(schema, given[0]), openapi3.VisitAsRequest()); err != nil {
		return d.Violations(err, quote)[0].Detail
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

func unknownParameter(name string, parameters openapi3.Parameters) string {
	var known []string
	for _, ref := range parameters {
		if ref.Value.In == openapi3.ParameterInQuery {
			known = append(known, ref.Value.Name)
		}
	}
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("there is no parameter %q, perhaps %q is meant", name, near)
	}
	if len(known) == 0 {
		return fmt.Sprintf("there is no parameter %q, nor any other", name)
	}
	return fmt.Sprintf("there is no parameter %q, but %s", name, strings.Join(known, ", "))
}
