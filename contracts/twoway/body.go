package twoway

import (
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/pactfile"
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
// pact file's own idea, which for application/problem+json is application/json.
func (m message) mediaType() string {
	if header := valuesOf(m.headers, "Content-Type"); len(header) > 0 {
		return header[0]
	}
	return m.body.ContentType
}

// body checks the body of a message, where it has one, against what the document
// declares for its media type, and returns its shape, nil for none.
func (c *checker) body(m message, content openapi3.Content, direction openapi3.SchemaValidationOption) shape {
	if m.body.Empty() {
		return nil
	}
	pointer := join(m.pointer, "body", "content")
	name := m.mediaType()
	media := content.Get(name)
	if media == nil {
		c.add(pointer, contentLine(content), "the body is %s, and the document has it as %s", name,
			strings.Join(slices.Sorted(maps.Keys(content)), " or "))
		return nil
	}
	if !isJSON(name) || media.Schema == nil {
		return nil
	}
	s, value := shapeOf(media.Schema), m.body.AsJSON()
	schema, check := media.Schema, c.letThrough
	if m.isAnswer {
		schema, check = relaxed(media.Schema), c.demanded
	}
	c.value(pointer, value, schema, direction)
	c.bodyRules(join(m.pointer, "matchingRules", "body"), m.rules, value, s)
	walk{m.rules, func(l leaf) { check(l.pointer, l) }}.value(pointer, nil, value, s)
	return s
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
