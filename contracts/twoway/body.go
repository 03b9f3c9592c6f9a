package twoway

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

// message is what a body is checked with.
type message struct {
	pointer string
	headers http.Header
	body    *pactfile.Body
	rules   []pactfile.BodyRule
	// isAnswer means that it need not have all that the document requires.
	isAnswer bool
}

// mediaType returns the media type of the body. The header is more exact than the
// pact file's own idea, which for application/problem+json is application/json. Pacts of
// specification 2 need not state any: then it is one that the document has for such a body.
func (m message) mediaType(content openapi3.Content) (name string, stated bool) {
	if header := valuesOf(m.headers, "Content-Type", true); len(header) > 0 {
		return header[0], true
	}
	if m.body.ContentType != "" {
		return m.body.ContentType, true
	}
	_, isText := m.body.Content.(string)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		if isJSON(name) != isText {
			return name, true
		}
	}
	return "application/json", !isText && content.Get("application/json") != nil // as one of a range
}

// mediaFor returns what the document declares for a media type, whatever parameters only one of
// them has.
func mediaFor(content openapi3.Content, name string) *openapi3.MediaType {
	if media := content.Get(name); media != nil {
		return media
	}
	kind, parameters, _ := mime.ParseMediaType(name)
	for _, declared := range slices.Sorted(maps.Keys(content)) {
		other, more, err := mime.ParseMediaType(declared)
		differs := func(key string) bool {
			value, both := more[key]
			return both && !strings.EqualFold(value, parameters[key])
		}
		if err == nil && other == kind && !slices.ContainsFunc(slices.Collect(maps.Keys(parameters)), differs) {
			return content[declared]
		}
	}
	return nil
}

// body checks the body of a message, where it has one, against what the document declares for
// its media type. It returns its shape, nil for none.
func (c *checker) body(m message, content openapi3.Content, direction openapi3.SchemaValidationOption) shape {
	if m.body.Empty() {
		return nil
	}
	pointer := jsonpointer.Join(m.pointer, "body", "content")
	name, stated := m.mediaType(content)
	media := mediaFor(content, name)
	switch {
	case !stated:
		c.add(pointer, contentLine(content), "the body is of no stated media type, and the document has it as %s",
			strings.Join(slices.Sorted(maps.Keys(content)), " or "))
		return nil
	case media == nil:
		c.add(pointer, contentLine(content), "the body is %s, and the document has it as %s", name,
			strings.Join(slices.Sorted(maps.Keys(content)), " or "))
		return nil
	case media.Schema == nil:
		return nil
	}
	schema, check := sent(media.Schema), c.letThrough
	if m.isAnswer {
		schema, check = relaxed(media.Schema), c.demanded
	}
	if !isJSON(name) {
		c.text(pointer, m, name, schema, direction)
		return nil
	}
	s, value := shapeOf(media.Schema), m.body.AsJSON()
	c.value(pointer, value, schema, direction)
	c.bodyRules(jsonpointer.Join(m.pointer, "matchingRules", "body"), m.rules, value, s)
	walk{m.rules, func(l leaf) { check(l.pointer, l) }}.value(pointer, nil, value, s)
	return s
}

// text checks a body that is plain text or a form.
func (c *checker) text(
	pointer string, m message, mediaType string, schema *openapi3.SchemaRef, direction openapi3.SchemaValidationOption,
) {
	text, isText := m.body.Content.(string)
	name, _, _ := mime.ParseMediaType(mediaType)
	switch {
	case !isText:
	case name == "text/plain":
		c.value(pointer, typed(text, shapeOf(schema)), schema, direction)
	case name == "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(text)
		if err != nil {
			c.add(pointer, 0, "the form cannot be read: %v", err)
			return
		}
		c.form(pointer, values, shapeOf(schema))
	}
}

// form checks the fields of a form.
func (c *checker) form(pointer string, values url.Values, s shape) {
	fields := declared{line: s.line(), parameters: map[string]*openapi3.Parameter{}}
	for name := range values {
		if field := s.field(name); field != nil {
			fields.parameters[name] = &openapi3.Parameter{In: openapi3.ParameterInQuery, Schema: field.ref()}
		}
	}
	c.texts(pointer, values, fields)
	missing := map[string]bool{}
	for _, schema := range s {
		for _, name := range schema.Required {
			if !missing[name] && !s.hasAlternatives() && !values.Has(name) {
				missing[name] = true
				c.add(pointer, line(schema.Origin, "required"),
					"the form has no field %q, and the document requires it", name)
			}
		}
	}
}

func isJSON(mediaType string) bool {
	name, _, _ := mime.ParseMediaType(mediaType)
	return name == "application/json" || strings.HasSuffix(name, "+json")
}

func contentLine(content openapi3.Content) int {
	for _, name := range slices.Sorted(maps.Keys(content)) {
		return line(content[name].Origin, "")
	}
	return 0
}
