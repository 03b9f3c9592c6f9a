package conformance

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// variant is a body that differs from a plain one in one place, by one rule.
type variant struct {
	at    pointer
	rule  string
	body  any
	level Level // at which it has to be taken; empty for what nodes send
	large int   // bytes of an unknown field that a call adds to it; 0 for none
}

// leftOut is the rule of a field that is not there.
const leftOut = "left out"

// manyItems is the longest list that is tried.
const manyItems = 4096

// generator makes the variants of a body. The validator of the document decides whether a
// variant breaks it.
type generator struct {
	schema *openapi3.Schema
	plain  any
	breaks bool  // whether to make those that break the document, and not the others
	level  Level // of those that are made now
	found  []variant
}

// variants returns what the rules of a schema make of a plain body: all that breaks them, or all that keeps
// them.
func variants(schema *openapi3.Schema, plain any, breaks bool) []variant {
	g := &generator{schema: schema, plain: plain, breaks: breaks}
	g.visit(nil, schema, plain, true)
	return g.found
}

// add adds a variant, if it breaks or keeps the rule as it is meant to.
func (g *generator) add(at pointer, rule string, value any, breaks bool) {
	if breaks != g.breaks {
		return
	}
	body := with(g.plain, at, value)
	if breaks {
		body = second(body, g.plain, at)
	}
	if (g.schema.VisitJSON(body, openapi3.VisitAsRequest(), formats) != nil) == breaks {
		g.found = append(g.found, variant{at: at, rule: rule, body: body, level: g.level})
	}
}

// second puts a plain item before each item that leads to a place. Who looks at the first of a list
// alone does not notice what is broken there.
func second(body, plain any, at pointer) any {
	for i, step := range slices.Backward(at) {
		if n, ok := step.(int); ok {
			before, _ := in(plain, at[:i]).([]any)
			items, _ := in(body, at[:i]).([]any)
			body = with(body, at[:i], slices.Insert(slices.Clone(items), n, before[n]))
		}
	}
	return body
}

// place is the JSON pointer to what is broken in a body. A plain item is before each broken one.
func (v variant) place() string {
	text := ""
	for _, step := range v.at {
		if n, ok := step.(int); ok {
			step = n + 1
		}
		text += fmt.Sprint("/", step)
	}
	return text
}

func (g *generator) valid(at pointer, rule string, value any)  { g.add(at, rule, value, false) }
func (g *generator) broken(at pointer, rule string, value any) { g.add(at, rule, value, true) }

// rarely makes variants that keep the document, and that no node sends.
func (g *generator) rarely(make func()) {
	g.level = Document
	make()
	g.level = ""
}

// visit makes the variants of one place and of all within it.
func (g *generator) visit(at pointer, schema *openapi3.Schema, value any, required bool) {
	s := flat(schema)
	if len(at) > 0 {
		if _, ok := at[len(at)-1].(string); ok {
			g.add(at, leftOut, absent{}, required)
		}
		g.add(at, "null", nil, !schema.Nullable && !s.schema.Nullable)
	}
	switch {
	case s.is("object"):
		g.object(at, s, value)
	case s.is("array"):
		g.array(at, s, value)
	case s.is("string"):
		g.text(at, s.schema, value)
	case s.is("integer"):
		g.integer(at, s.schema)
	case s.is("boolean"):
		g.valid(at, "true", true)
		g.valid(at, "false", false)
		g.broken(at, "type", "true")
		g.broken(at, "type", 1.0)
	}
}

func (g *generator) object(at pointer, s flatSchema, value any) {
	object, _ := value.(map[string]any)
	g.valid(at.to("x-unknown"), "unknown field", "new")
	numbers := map[string]any{"a": []any{1.5, nil, true}, "b": 1e30}
	g.valid(at.to("unknown_object"), "unknown field with numbers", numbers)
	if len(at) > 0 {
		g.broken(at, "type", "text")
		g.broken(at, "type", []any{})
	}
	for _, name := range slices.Sorted(maps.Keys(s.properties)) {
		if member, there := object[name]; there {
			g.visit(at.to(name), s.properties[name].Value, member, slices.Contains(s.required, name))
		}
	}
}

func (g *generator) array(at pointer, s flatSchema, value any) {
	items, _ := value.([]any)
	g.valid(at, "no items", []any{})
	g.broken(at, "type", map[string]any{})
	if len(items) == 0 || s.schema.Items == nil {
		return
	}
	if most := s.schema.MaxItems; most != nil && *most <= manyItems {
		g.valid(at, fmt.Sprintf("maxItems %d", *most), distinct(items[0], int(*most)))
		g.broken(at, fmt.Sprintf("maxItems %d", *most), distinct(items[0], int(*most)+1))
	}
	if most, item := s.schema.MaxItems, flat(s.schema.Items.Value).schema; most != nil && item.MaxLength != nil {
		long := fill(item, int(*item.MaxLength)-len("-99999"), plainly)
		g.valid(at, fmt.Sprintf("maxItems %d, each the longest", *most), distinct(long, int(*most)))
	}
	// Those who compare neighbours alone do not notice it.
	g.broken(at, "uniqueItems", []any{items[0], distinct(items[0], 1)[0], items[0]})
	twice := func() { g.valid(at, "an item twice", []any{items[0], items[0]}) }
	if _, text := items[0].(string); text {
		twice()
	} else {
		g.rarely(twice)
	}
	g.visit(at.to(0), s.schema.Items.Value, items[0], true)
}

// distinct returns count different items that are like the given one.
func distinct(item any, count int) []any {
	items := make([]any, count)
	for i := range items {
		switch item := item.(type) {
		case string:
			items[i] = fmt.Sprintf("%s-%d", item, i)
		case map[string]any:
			other := maps.Clone(item)
			for name, value := range other {
				if text, ok := value.(string); ok && strings.HasSuffix(name, "id") {
					other[name] = fmt.Sprintf("%s-%d", text, i)
				}
			}
			items[i] = other
		default:
			items[i] = item
		}
	}
	return items
}

func (g *generator) integer(at pointer, schema *openapi3.Schema) {
	if schema.Min != nil {
		g.valid(at, "minimum "+decimal(*schema.Min), *schema.Min)
		g.broken(at, "minimum "+decimal(*schema.Min), *schema.Min-1)
	}
	if schema.Max != nil {
		g.valid(at, "maximum "+decimal(*schema.Max), most(*schema.Max))
		g.broken(at, "maximum "+decimal(*schema.Max), *schema.Max+1)
	}
	g.broken(at, "type", "1")
	g.broken(at, "type", true)
	g.broken(at, "integer", 0.5)
}

// most returns the greatest number that a maximum surely allows. A large one may have been rounded
// up, to the 53 bits in which it is kept.
func most(maximum float64) float64 {
	if maximum < 1<<53 {
		return maximum
	}
	return math.Nextafter(maximum, 0)
}

func (g *generator) text(at pointer, schema *openapi3.Schema, value any) {
	g.broken(at, "type", 1.0)
	g.broken(at, "type", []any{})
	for _, value := range schema.Enum {
		g.valid(at, fmt.Sprintf("enum %v", value), value)
	}
	switch schema.Format {
	case "date-time":
		g.format(at, schema, times(), nearlyTimes)
		g.rarely(func() { g.format(at, schema, rareTimes, nil) })
		g.tooLong(at, schema, "2024-01-01T00:00:00.", "Z")
	case "uri":
		g.format(at, schema, addresses(schema), nearlyAddresses)
		g.rarely(func() { g.format(at, schema, oddAddresses, nil) })
		g.tooLong(at, schema, exampleAddress+"/", "")
	default:
		for _, text := range append(texts(schema), blanks(schema)...) {
			g.valid(at, text.rule, text.value)
		}
		g.tooLong(at, schema, "", "")
		g.pattern(at, schema, fmt.Sprint(value))
	}
}

// tooLong tries a text with one character too many, most of them in its middle.
func (g *generator) tooLong(at pointer, schema *openapi3.Schema, before, after string) {
	if most := schema.MaxLength; most != nil {
		middle := strings.Repeat("1", max(0, int(*most)+1-len(before)-len(after)))
		g.broken(at, fmt.Sprintf("maxLength %d", *most), before+middle+after)
	}
}

// format tries texts of a format, and texts that are nearly of it.
func (g *generator) format(at pointer, schema *openapi3.Schema, right, wrong []string) {
	for _, text := range right {
		g.valid(at, "format "+schema.Format+" "+short(text), text)
	}
	for _, text := range wrong {
		g.broken(at, fmt.Sprintf("format %s %q", schema.Format, text), text)
	}
}

// pattern tries texts that break the pattern of a schema, or its enum. Most come close to it.
func (g *generator) pattern(at pointer, schema *openapi3.Schema, plain string) {
	g.broken(at, fmt.Sprintf("minLength %d", schema.MinLength), "")
	g.broken(at, wording(schema), "\x01")
	for _, near := range nearlyTexts {
		text := strings.Replace(near.value, "|", plain, 1)
		g.broken(at, wording(schema)+", but for "+near.rule, text)
	}
}

// nearlyTexts match a pattern but for what is before or behind the |. A validator accepts them that looks
// for the pattern anywhere in a text, or takes $ for the end of a line. So does one that takes letters of other
// alphabets for those from A to Z. Who compares without regard to case takes the Kelvin sign for a k.
var nearlyTexts = []ruledText{
	{"a space before it", " |"},
	{"a space after it", "| "},
	{"a line break before it", "\n|"},
	{"a line break after it", "|\n"},
	{"a letter with an accent", "|é"},
	{"an Arabic digit", "|٣"},
	{"a Kelvin sign", "|\u212a"},
}

// nearlyTimes are no times of RFC 3339, though some parsers take them for times. They have other forms,
// days that no calendar has, or hours, minutes, seconds and offsets that are too large. Second 60 is not
// tried: sound parsers take it as a leap second, whatever the day.
var nearlyTimes = []string{
	"yesterday", "1704067200", "2024-01-01", "2024-01-01 00:00:00", "2024-01-01T00:00:00", "2024-01-01T00:00Z",
	"2024-01-01T00:00:00,5Z", "20240101T000000Z", "2024-01-01T00:00:00Z[UTC]", "2024-01-01T00:00:00Z\n",
	"2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-04-31T00:00:00Z",
	"2024-01-32T00:00:00Z", "2024-01-00T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
	"2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z",
	"2024-01-01T00:00:00+0100", "2024-01-01T00:00:00+01", "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00-24:00",
	"2024-01-01T00:00:00+99:00", "2024-01-01T00:00:00+01:60", "2024-01-01T00:00:00-01:99",
	"2024-W01-1T00:00:00Z", "2024-001T00:00:00Z", "Mon, 01 Jan 2024 00:00:00 GMT", "+12024-01-01T00:00:00Z",
	"2024-1-1T00:00:00Z", "2024-01-01T0:00:00Z", "2024-01-01T00:00:00.Z",
}

// nearlyAddresses are no base URLs of nodes.
var nearlyAddresses = []string{
	"not a URI", "192.0.2.10:9200", "ftp://192.0.2.10:9200", "HTTP://192.0.2.10:9200", "//192.0.2.10:9200",
	"http://", "http:///base", "http://192.0.2.10:9200?query", "http://192.0.2.10:9200/#fragment",
	"http://192.0.2.10:9200/a b", " http://192.0.2.10:9200", "http://192.0.2.10:9200\n", "xhttp://192.0.2.10:9200",
	"http://192.0.2.10:9200/%zz", "http://192.0.2.10:port",
}

// times returns points in time in all forms of RFC 3339 that parsers agree on. Some are far
// off, like those of a node whose clock is wrong.
func times() []string {
	now := time.Now().UTC()
	return []string{
		now.Format(time.RFC3339), now.Format(time.RFC3339Nano), now.Format("2006-01-02T15:04:05.0Z07:00"),
		now.In(time.FixedZone("", 5*3600+1800)).Format(time.RFC3339),
		now.In(time.FixedZone("", -11*3600)).Format(time.RFC3339Nano),
		now.In(time.FixedZone("", 14*3600)).Format(time.RFC3339),
		now.Format("2006-01-02T15:04:05.000000000+00:00"),
		"1969-12-31T16:00:00-08:00", "2000-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2099-12-31T23:59:59.999Z",
	}
}

// rareTimes are of forms that RFC 3339 has, and that no node sends. They have small letters (section 5.6), an
// offset that says nothing of the place (section 4.3), or more digits than a count of nanoseconds has. The last
// of them is in the year 9999, beyond the reach of such a count.
var rareTimes = []string{
	"2024-01-01t12:30:45z", "2024-01-01T12:30:45-00:00", "2024-01-01T12:30:45.123456789012Z", "9999-12-31T23:59:59Z",
}

// addresses returns addresses of many kinds, the longest included.
func addresses(schema *openapi3.Schema) []string {
	found := []string{
		"http://a", "https://node.example.com", "http://192.0.2.10:1", "https://192.0.2.10:65535/",
		"http://[2001:db8::1]:9200", "http://[::1]", "http://gpu-node-1.rack_2.local:9200/base/path/",
		"http://127.0.0.1:9200", "http://localhost:9200", "http://10.0.0.5:9200", "http://NODE.Example.COM:9200",
		"http://xn--bcher-kva.example:9200", "http://192.0.2.10:9200/a%20b/~c",
	}
	if schema.MaxLength != nil {
		base := "http://192.0.2.10:9200/"
		found = append(found, base+strings.Repeat("p", max(0, int(*schema.MaxLength)-len(base))))
	}
	return found
}

// oddAddresses are addresses that no node has, and that a strict parser may refuse or write anew. RFC 3986, which
// says what a URI is, has no zone of an IPv6 address.
var oddAddresses = []string{
	"http://node@192.0.2.10:9200", "https://node:p%40ss@node.example.com:443", "http://[2001:DB8:0::1]:80/",
	"http://192.0.2.10:9200//a/./b/../%2f%7E",
}
