package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestFormatsWithShortLimits has a document allow only short texts of a format.
func TestFormatsWithShortLimits(t *testing.T) {
	for format, plain := range map[string]string{"uri": "http://a", "date-time": "2024-01-01T00:00:00Z"} {
		text := openapi3.NewStringSchema().WithFormat(format).WithMaxLength(int64(len(plain)))
		found := variants(openapi3.NewObjectSchema().WithProperty("at", text), map[string]any{"at": plain}, true)
		tooLong := func(v variant) bool { return v.at.String() == "/at" && v.rule[:3] == "max" }
		if !slices.ContainsFunc(found, tooLong) {
			t.Errorf("no %s is tried that is too long", format)
		}
	}
}

// TestTextsWithoutAPattern shows that what is tried of them is named after the rule that they have.
func TestTextsWithoutAPattern(t *testing.T) {
	for rule, text := range map[string]*openapi3.Schema{
		"enum [llamacpp vllm], but for a space after it": openapi3.NewStringSchema().WithEnum("llamacpp", "vllm"),
		"any text, strangest":                            openapi3.NewStringSchema().WithMaxLength(9),
	} {
		schema, plain := openapi3.NewObjectSchema().WithProperty("at", text), map[string]any{"at": "llamacpp"}
		found := slices.Concat(variants(schema, plain, false), variants(schema, plain, true))
		if !slices.ContainsFunc(found, func(v variant) bool { return v.rule == rule }) {
			t.Errorf("nothing is tried of %q", rule)
		}
		if i := slices.IndexFunc(found, func(v variant) bool { return strings.HasPrefix(v.rule, "pattern") }); i >= 0 {
			t.Errorf("without a pattern, there is %q", found[i].rule)
		}
	}
}

// TestAddressesThatNoNodeHas may be refused by strict parsers, which hurts no node.
func TestAddressesThatNoNodeHas(t *testing.T) {
	uri := openapi3.NewObjectSchema().WithProperty("at", openapi3.NewStringSchema().WithFormat("uri"))
	for _, v := range variants(uri, map[string]any{"at": exampleAddress}, false) {
		if text, _ := in(v.body, pointer{"at"}).(string); strings.ContainsAny(text, "@") && v.level != Document {
			t.Errorf("%s is tried at level %q", text, v.level)
		} else if strings.Contains(text, "[fe80") {
			t.Errorf("%s has a zone, which RFC 3986 has not", text)
		}
	}
}

// TestTheEntryOfAList is the one in the field that nodes read, whatever lists there are besides.
func TestTheEntryOfAList(t *testing.T) {
	doc := mustRead(t)
	node := openapi3.NewStringSchema()
	list := openapi3.NewObjectSchema().WithProperty("nodes", openapi3.NewArraySchema().WithItems(node))
	for _, other := range []string{"a", "b", "y", "z"} {
		list.WithProperty(other, openapi3.NewArraySchema().WithItems(openapi3.NewBoolSchema()))
	}
	op := *doc.operation(opList)
	op.responses = map[int]*openapi3.Response{op.success(): openapi3.NewResponse().WithJSONSchema(list)}
	if got := (&document{operations: []*operation{&op}}).entry(); got != node {
		t.Errorf("got %v, want that of nodes", got.Type)
	}
}

// TestALargeBodyIsAnObject has bodies of documents that say little of them.
func TestALargeBodyIsAnObject(t *testing.T) {
	for plain, want := range map[string]string{
		`{"a":{}}`: `{"a":{},"x-large":"ll"}`,
		`{}`:       `{"x-large":"ll"}`,
		`null`:     `{"x-large":"ll"}`,
	} {
		if got := string(enlarged([]byte(plain), 2)); got != want {
			t.Errorf("%s becomes %s, want %s", plain, got, want)
		}
	}
}
