package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// drawn draws values from schemas. So many in a hundred have a flaw.
type drawn struct {
	t     *rapid.T
	flaws int
}

func (d drawn) chance(percent int, label string) bool {
	return percent > 0 && rapid.IntRange(1, 100).Draw(d.t, label) <= percent
}

func (d drawn) value(schema *openapi3.Schema) any {
	if len(schema.AllOf) > 0 {
		if merged := schemaOf(schema, ""); len(merged.fields) > 0 {
			return d.object(merged)
		}
		return d.value(schema.AllOf[0].Value)
	}
	if d.chance(d.flaws, "flaw") {
		return rapid.SampledFrom([]any{
			nil, true, 0, -1, 1.5, "", "x", "\x00", "é",
			[]any{},
			[]any{1},
			map[string]any{},
			json.RawMessage("1e400"), math.Pow(2, 53),
		}).Draw(d.t, "flawed")
	}
	if schema.Nullable && rapid.Bool().Draw(d.t, "null") {
		return nil
	}
	switch {
	case schema.Type.Is("object"):
		return d.object(schemaOf(schema, ""))
	case schema.Type.Is("array"):
		return d.array(schema)
	case schema.Type.Is("boolean"):
		return rapid.Bool().Draw(d.t, "boolean")
	case schema.Type.Is("integer"):
		return d.integer(int64(*schema.Min), int64(*schema.Max))
	default:
		return d.string(schema)
	}
}

func (d drawn) object(schema *Schema) any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(schema.fields)) {
		if d.chance(d.flaws, "missing") || !slices.Contains(schema.required, name) &&
			rapid.Bool().Draw(d.t, "left out") {
			continue
		}
		object[name] = d.value(schema.fields[name].raw)
		if d.chance(d.flaws, "unknown") {
			object[strings.ToUpper(name)] = nil
		}
	}
	return object
}

func (d drawn) array(schema *openapi3.Schema) any {
	size := rapid.IntRange(0, 3).Draw(d.t, "size")
	if *schema.MaxItems < 10_000 && d.chance(d.flaws/4, "many") {
		size = int(*schema.MaxItems) + rapid.IntRange(0, 1).Draw(d.t, "too many")
	}
	items := make([]any, size)
	for i := range items {
		switch {
		case size <= 3:
			items[i] = d.value(schema.Items.Value)
		case schema.UniqueItems:
			items[i] = fmt.Sprint("x", i)
		case i == 0:
			items[i] = d.value(schema.Items.Value)
		default:
			items[i] = items[0]
		}
	}
	return items
}

func (d drawn) integer(least, most int64) any {
	if d.chance(d.flaws, "out of bounds") {
		return rapid.SampledFrom([]any{
			least - 1, most + 1, float64(least) + 0.5, json.RawMessage("-0"),
			json.RawMessage("1e3"), json.RawMessage("007"),
		}).Draw(d.t, "integer")
	}
	return rapid.OneOf(rapid.SampledFrom([]int64{least, most}), rapid.Int64Range(least, most)).Draw(d.t, "integer")
}

var times = []string{
	"2026-11-23T15:13:54Z", "2026-11-23T15:13:54.862242784+00:00", "2026-02-28T23:59:59.1-23:59",
	"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999+14:00",
}

var flawedTimes = []string{
	"2026-11-23 15:13:54Z", "2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "2026-11-23T15:13:54,5Z",
	"2026-11-23T15:13:54+24:00", "2026-11-23t15:13:54z",
	"2026-11-23T5:13:54Z", "2026-11-23T15:13:54." + strings.Repeat("0", 60) + "Z", "",
}

func (d drawn) string(schema *openapi3.Schema) any {
	flawed := d.chance(d.flaws, "unfit")
	switch {
	case schema.Format == "date-time" && flawed:
		return rapid.SampledFrom(flawedTimes).Draw(d.t, "time")
	case schema.Format == "date-time":
		return rapid.SampledFrom(times).Draw(d.t, "time")
	case len(schema.Enum) > 0:
		return rapid.SampledFrom(schema.Enum).Draw(d.t, "enum")
	case schema.Format == "uri":
		return rapid.SampledFrom([]string{
			"http://a", "https://a:1/b/%20", "http://" + strings.Repeat("a", 2041),
			"http://" + strings.Repeat("é", 2041),
		}).Draw(d.t, "uri") +
			map[bool]string{true: rapid.SampledFrom([]string{"x", " ", "?a", "#", "%zz", "/\u00a0", ":"}).Draw(d.t,
				"corrupted")}[flawed]
	}
	text := schema.Example.(string)
	if schema.Pattern != "" {
		text = rapid.StringMatching(schema.Pattern).Draw(d.t, "string")
	}
	if flawed {
		text = rapid.SampledFrom([]string{
			text + " ", text + "\n", "\x00" + text, text + "é", text + "\x7f", "-" + text,
			strings.Repeat(schema.Example.(string), 200),
		}).Draw(d.t, "corrupted")
	}
	if d.chance(5, "long") {
		text = strings.Repeat("9", int(*schema.MaxLength)+rapid.IntRange(0, min(d.flaws, 1)).Draw(d.t, "too long"))
	}
	return text
}

// text writes a value as JSON, with white space, in any order, and perhaps cut or corrupted.
func (d drawn) text(value any) string {
	var text bytes.Buffer
	d.write(&text, value)
	b := text.Bytes()
	if d.chance(d.flaws/2, "corrupt") && len(b) > 0 {
		at := rapid.IntRange(0, len(b)-1).Draw(d.t, "at")
		switch rapid.IntRange(0, 2).Draw(d.t, "how") {
		case 0:
			b = b[:at]
		case 1:
			b[at] = rapid.Byte().Draw(d.t, "byte")
		case 2:
			b = slices.Insert(b, at, rapid.SampledFrom([]byte("{}[]\",: 0\\\x80")).Draw(d.t, "byte"))
		}
	}
	return string(b)
}

func (d drawn) write(w *bytes.Buffer, value any) {
	space := func() {
		io.WriteString(w, rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r"}).Draw(d.t, "space"))
	}
	space()
	switch value := value.(type) {
	case map[string]any:
		w.WriteByte('{')
		names := rapid.Permutation(slices.Sorted(maps.Keys(value))).Draw(d.t, "order")
		if len(names) > 0 && d.chance(d.flaws/4, "twice") {
			names = append(names, names[0])
		}
		for i, name := range names {
			if i > 0 {
				w.WriteByte(',')
			}
			d.write(w, name)
			w.WriteByte(':')
			d.write(w, value[name])
		}
		w.WriteByte('}')
	case []any:
		w.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				w.WriteByte(',')
			}
			if len(value) > 3 {
				d.plain(w, item)
				continue
			}
			d.write(w, item)
		}
		w.WriteByte(']')
	default:
		d.plain(w, value)
	}
	space()
}

func (d drawn) plain(w *bytes.Buffer, value any) {
	if raw, ok := value.(json.RawMessage); ok { // which need not be JSON
		w.Write(raw)
		return
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(d.chance(5, "escaped"))
	_ = encoder.Encode(value)
}
