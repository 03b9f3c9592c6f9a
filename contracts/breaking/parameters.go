package breaking

import (
	"cmp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
	"github.com/llama-orch/node-registration/contracts/internal/subset"
)

// parameters compares the parameters that both versions have. oasdiff finds the added and
// removed ones, but ignores how values are serialized and part of what they may be.
func (p pair) parameters() {
	for _, ref := range p.from.Parameters {
		name := ref.Value.Name
		if ref.Value.In == openapi3.ParameterInPath {
			name = cmp.Or(p.names[name], name)
		}
		if other := p.to.Parameters.GetByInAndName(ref.Value.In, name); other != nil {
			p.parameter(ref.Value, other)
		}
	}
}

func (p pair) parameter(from, to *openapi3.Parameter) {
	part := from.In + " " + from.Name
	subject := "`" + from.In + "` request parameter `" + from.Name + "`"
	broken := func(rule, field, how string) {
		what := "the " + subject + " " + how
		p.add(finding{rule: rule, part: part, property: field, what: what, where: lineOf(to.Origin, field)})
	}
	fromSchema, toSchema := apidoc.SchemaOf(from), apidoc.SchemaOf(to)
	switch before, after := writing(from), writing(to); {
	case before == after:
	case looksAlike(from, to):
		fromSchema = listOfOne(fromSchema)
	case looksAlike(to, from):
		toSchema = listOfOne(toSchema)
	default:
		broken("request-parameter-style-changed", "style", "is now written "+after+" instead of "+before)
	}
	if from.AllowEmptyValue && !to.AllowEmptyValue {
		broken("request-parameter-empty-value-refused", "allowEmptyValue", "may no longer be empty")
	}
	if from.AllowReserved && !to.AllowReserved {
		broken("request-parameter-reserved-refused", "allowReserved",
			"may no longer have reserved characters as they are")
	}
	if p.gaps(part, subject, subset.Request, fromSchema, toSchema) {
		p.prove(part)
	}
}

const plainly, exploded = "plainly", ", exploded"

// looksAlike reports whether a single value is written like a list that has it alone: both as
// name=value.
func looksAlike(single, list *openapi3.Parameter) bool {
	method, err := single.SerializationMethod()
	return err == nil && method.Style == openapi3.SerializationForm && writing(single) == plainly &&
		writing(list) == "in style "+openapi3.SerializationForm+exploded &&
		!mayBe(list.Schema, openapi3.TypeObject)
}

func listOfOne(item *openapi3.SchemaRef) *openapi3.SchemaRef {
	one := uint64(1)
	list := &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeArray}, MinItems: one, MaxItems: &one, Items: item}
	return list.NewRef()
}

// writing describes how a value of the parameter is serialized.
func writing(parameter *openapi3.Parameter) string {
	for name := range parameter.Content {
		return "as " + plainMediaType(name)
	}
	method, err := parameter.SerializationMethod()
	if err != nil {
		return "in style " + parameter.Style
	}
	several := mayBe(parameter.Schema, openapi3.TypeArray, openapi3.TypeObject)
	switch style := method.Style; {
	case !several && (style == openapi3.SerializationForm || style == openapi3.SerializationSimple ||
		style == openapi3.SerializationSpaceDelimited || style == openapi3.SerializationPipeDelimited):
		return plainly // one value has nothing to separate
	case style == openapi3.SerializationSimple && !mayBe(parameter.Schema, openapi3.TypeObject):
		return "in style simple" // which joins the items of an array either way
	case several && method.Explode:
		return "in style " + style + exploded
	default:
		return "in style " + style
	}
}

// mayBe reports whether a value may be of one of the types. The style of a parameter
// matters only for types that have parts.
func mayBe(ref *openapi3.SchemaRef, types ...string) bool {
	if ref == nil || ref.Value == nil {
		return false
	}
	for _, parts := range []openapi3.SchemaRefs{ref.Value.AllOf, ref.Value.AnyOf, ref.Value.OneOf} {
		for _, part := range parts {
			if mayBe(part, types...) {
				return true
			}
		}
	}
	return slices.ContainsFunc(types, ref.Value.Type.Includes)
}
