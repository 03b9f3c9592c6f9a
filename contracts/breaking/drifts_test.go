package breaking_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// drift is the document with one thing changed.
type drift struct {
	name    string
	culprit string // what a message about it has to name
	text    []byte
}

// drifter changes one thing of a document at a time.
type drifter struct {
	t    *testing.T
	root object
	made []drift
}

func newDrifter(t *testing.T, text []byte) *drifter {
	t.Helper()
	var root object
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(root) // so that anchors are written out
	if err != nil {
		t.Fatal(err)
	}
	clear(root)
	if err := json.Unmarshal(plain, &root); err != nil {
		t.Fatal(err)
	}
	return &drifter{t: t, root: root}
}

// gone stands for a field that is left out.
var gone = &struct{ left string }{"out"}

// set makes a drift: a field of an object with another value, or without one.
func (d *drifter) set(name, culprit string, at object, field string, value any) {
	d.t.Helper()
	old, had := at[field]
	if at[field] = value; value == any(gone) {
		delete(at, field)
	}
	text, err := json.Marshal(d.root)
	if err != nil {
		d.t.Fatal(err)
	}
	d.made = append(d.made, drift{name, culprit, text})
	if delete(at, field); had {
		at[field] = old
	}
}

// rename makes a drift: a field under another name.
func (d *drifter) rename(name, culprit string, at object, field, other string) {
	value := at[field]
	delete(at, field)
	d.set(name, culprit, at, other, value)
	at[field] = value
}

func (d *drifter) in(path ...string) object {
	at := d.root
	for _, step := range path {
		at = at[step].(object)
	}
	return at
}

// sorted returns the fields of an object that are objects themselves.
func sorted(of object) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(of)), func(name string) bool {
		_, isObject := of[name].(object)
		return !isObject
	})
}

// all makes all drifts that the rules make of a document.
func (d *drifter) all() []drift {
	schemas := d.in("components", "schemas")
	for _, name := range sorted(schemas) {
		d.schema(name, "", schemas[name].(object))
	}
	headers := d.in("components", "headers")
	for _, name := range sorted(headers) {
		header := headers[name].(object)
		d.toggle(name+" required", "", header, "required")
		d.schema("header "+name, "", header["schema"].(object))
	}
	for _, name := range sorted(d.in("components", "responses")) {
		d.response(name, d.in("components", "responses", name))
	}
	d.operations()
	d.security()
	d.set("a prefix of the servers", "", d.root, "servers", []any{object{"url": "/api"}})
	return d.made
}

// toggle makes a drift: a flag that is set is not, and the other way round.
func (d *drifter) toggle(name, culprit string, at object, flag string) {
	set, _ := at[flag].(bool)
	d.set(fmt.Sprintf("%s %t", name, !set), culprit, at, flag, !set)
}

var otherType = map[string]string{
	"string": "integer", "integer": "string", "boolean": "string", "array": "object", "object": "array",
}

// schema changes each rule of a schema, and of those within it.
func (d *drifter) schema(name, culprit string, schema object) {
	if ref, isRef := schema["$ref"].(string); isRef {
		for _, other := range []string{"NodeVersion", "GPU"} {
			if !strings.HasSuffix(ref, other) {
				d.set(name+" is a "+other, culprit, schema, "$ref", "#/components/schemas/"+other)
			}
		}
		return
	}
	if kind, ok := schema["type"].(string); ok {
		other := object{"type": otherType[kind], "description": "other"}
		if other["type"] == "array" {
			other["items"] = object{"type": "string"}
		}
		d.swap(name+" is "+otherType[kind], culprit, schema, other)
	}
	d.bounds(name, culprit, schema)
	if kind := schema["type"]; kind == "string" || kind == "integer" || kind == "array" {
		d.toggle(name+" nullable", culprit, schema, "nullable")
	}
	if schema["type"] == "array" {
		d.toggle(name+" uniqueItems", culprit, schema, "uniqueItems")
		d.schema(name+" items", culprit, schema["items"].(object))
	}
	d.enum(name, schema)
	d.fields(name, schema)
}

// swap makes a drift: all of a schema is another.
func (d *drifter) swap(name, culprit string, schema, other object) {
	before := maps.Clone(schema)
	clear(schema)
	maps.Copy(schema, other)
	d.set(name, culprit, schema, "description", "other")
	clear(schema)
	maps.Copy(schema, before)
}

func (d *drifter) bounds(name, culprit string, schema object) {
	for _, bound := range []string{"minimum", "maximum", "minLength", "maxLength", "maxItems"} {
		if value, ok := schema[bound].(float64); ok {
			d.set(name+" "+bound+" one more", culprit, schema, bound, value+1)
			if value > 0 {
				d.set(name+" "+bound+" one less", culprit, schema, bound, value-1)
			}
			if !strings.HasPrefix(bound, "min") || value > 0 {
				d.set(name+" "+bound+" gone", culprit, schema, bound, gone)
			}
		}
	}
	if _, ok := schema["pattern"]; ok {
		d.set(name+" pattern gone", culprit, schema, "pattern", gone)
		d.set(name+" pattern narrower", culprit, schema, "pattern", "^[a-c]+$")
	} else if schema["type"] == "string" && schema["enum"] == nil {
		d.set(name+" pattern", culprit, schema, "pattern", "^[a-c]+$")
	}
	if format, ok := schema["format"].(string); ok {
		d.set(name+" format gone", culprit, schema, "format", gone)
		other := cmp.Or(map[string]string{"date-time": "date", "int32": "int64", "int64": "int32"}[format], "email")
		d.set(name+" format "+other, culprit, schema, "format", other)
	}
}

func (d *drifter) enum(name string, schema object) {
	values, _ := schema["enum"].([]any)
	for i, value := range values {
		fewer := slices.Delete(slices.Clone(values), i, i+1)
		d.set(fmt.Sprintf("%s without %v", name, value), fmt.Sprint(value), schema, "enum", fewer)
	}
	if len(values) > 0 {
		d.set(name+" with another value", "Sleeping", schema, "enum", append(slices.Clone(values), "Sleeping"))
	}
}

// fields changes which fields an object has, and which of them it must have.
func (d *drifter) fields(name string, schema object) {
	properties, _ := schema["properties"].(object)
	if properties == nil {
		return
	}
	d.set(name+" closed", "", schema, "additionalProperties", false)
	required, _ := schema["required"].([]any)
	for _, field := range sorted(properties) {
		at, place := slices.Index(required, any(field)), name+"/"+field
		if at >= 0 {
			d.set(place+" optional", field, schema, "required", slices.Delete(slices.Clone(required), at, at+1))
		} else {
			d.set(place+" required", field, schema, "required", append(slices.Clone(required), field))
		}
		d.without(place, field, schema, at)
		d.schema(place, field, properties[field].(object))
	}
}

// without makes two drifts: a field that is gone, and one under another name.
func (d *drifter) without(place, field string, schema object, at int) {
	properties := schema["properties"].(object)
	value, before := properties[field], schema["required"]
	if required, _ := before.([]any); at >= 0 {
		schema["required"] = slices.Delete(slices.Clone(required), at, at+1)
	}
	d.set(place+" gone", field, properties, field, gone)
	if required, _ := before.([]any); at >= 0 {
		other := slices.Clone(required)
		other[at] = field + "_x"
		schema["required"] = other
	}
	d.rename(place+" renamed", field, properties, field, field+"_x")
	properties[field] = value
	if schema["required"] = before; before == nil {
		delete(schema, "required")
	}
}

// response changes the headers and the media types of an answer.
func (d *drifter) response(name string, response object) {
	headers, _ := response["headers"].(object)
	for _, header := range sorted(headers) {
		d.set(name+" header "+header+" gone", header, headers, header, gone)
		d.rename(name+" header "+header+" renamed", header, headers, header, header+"-X")
	}
	content, _ := response["content"].(object)
	for _, media := range sorted(content) {
		d.rename(name+" as text", media, content, media, "text/plain")
		d.set(name+" of no schema", "", content[media].(object), "schema", object{})
	}
	if content != nil {
		d.set(name+" without a body", "", response, "content", gone)
	}
}

// operations changes paths, methods, requests and statuses.
func (d *drifter) operations() {
	paths := d.in("paths")
	for _, path := range sorted(paths) {
		d.set(path+" gone", path, paths, path, gone)
		d.rename(path+" of another version", strings.TrimPrefix(path, "/v2"), paths, path,
			strings.Replace(path, "v2", "v3", 1))
		d.rename(path+" with a slash", path, paths, path, path+"/")
		item := paths[path].(object)
		for _, method := range sorted(item) {
			operation := item[method].(object)
			d.rename(path+" by another method", path, item, method, "patch")
			d.operation(method+" "+path, path, operation)
		}
	}
}

func (d *drifter) operation(name, path string, operation object) {
	if body, ok := operation["requestBody"].(object); ok {
		d.set(name+" without a body", path, operation, "requestBody", gone)
		d.toggle(name+" body required", path, body, "required")
		content := body["content"].(object)
		for _, media := range sorted(content) {
			d.rename(name+" of another media type", path, content, media, "application/cbor")
		}
	}
	responses := operation["responses"].(object)
	for _, status := range sorted(responses) {
		d.set(name+" without "+status, status, responses, status, gone)
		d.rename(name+" with 418 for "+status, status, responses, status, "418")
		d.response(name+" "+status, responses[status].(object))
	}
	d.set(name+" needs a token", "bearerAuth", operation, "security", []any{object{"bearerAuth": []any{}}})
	more := object{"name": "q", "in": "query", "required": true, "schema": object{"type": "string"}}
	parameters, _ := operation["parameters"].([]any)
	d.set(name+" needs a parameter", "q", operation, "parameters", append(slices.Clone(parameters), more))
}

// security changes how callers show who they are.
func (d *drifter) security() {
	scheme := d.in("components", "securitySchemes", "bearerAuth")
	d.set("basic authentication", "bearerAuth", scheme, "scheme", "basic")
	d.swap("a key in a header", "bearerAuth", scheme, object{"type": "apiKey", "in": "header", "name": "X-Key"})
	d.set("a token is needed", "bearerAuth", d.root, "security", []any{object{"bearerAuth": []any{}}})
	d.set("no token is taken", "bearerAuth", d.root, "security", []any{object{}})
	parameters := d.in("components", "parameters")
	for _, name := range sorted(parameters) {
		parameter := parameters[name].(object)
		if parameter["in"] == "header" {
			d.toggle(name+" required", "", parameter, "required")
			d.set(name+" under another name", parameter["name"].(string), parameter, "name", "X-Other")
		}
	}
}

// controls change what nobody minds.
func (d *drifter) controls() []drift {
	d.described(d.root)
	schemas := d.in("components", "schemas")
	for _, name := range sorted(schemas) {
		schema := schemas[name].(object)
		for _, list := range []string{"required", "enum"} {
			if values, ok := schema[list].([]any); ok {
				reversed := slices.Clone(values)
				slices.Reverse(reversed)
				d.set(name+" with its "+list+" in another order", "", schema, list, reversed)
			}
		}
		if properties, ok := schema["properties"].(object); ok {
			d.set(name+" with a new field that is optional", "", properties, "extra", object{"type": "string"})
			d.inlined(name, schemas, properties)
		}
	}
	for _, name := range sorted(d.in("components", "responses")) {
		headers := d.in("components", "responses", name, "headers")
		d.set(name+" with a new header", "", headers, "X-New", object{"schema": object{"type": "string"}})
	}
	d.set("another title", "", d.in("info"), "title", "another")
	d.set("another description of the servers", "", d.root, "servers", []any{object{"url": "/", "description": "all"}})
	return d.made
}

// described gives each thing with a description another one, and no example.
func (d *drifter) described(at object) {
	if _, ok := at["description"].(string); ok {
		d.set(fmt.Sprintf("another description than %.40q", at["description"]), "", at, "description", "another")
	}
	if _, ok := at["example"]; ok {
		d.set("no example in "+fmt.Sprintf("%.40q", at["description"]), "", at, "example", gone)
	}
	for _, name := range sorted(at) {
		if name != "example" {
			d.described(at[name].(object))
		}
	}
}

// inlined puts the schemas that fields refer to in place of the references, and wraps
// the references.
func (d *drifter) inlined(name string, schemas, properties object) {
	for _, field := range sorted(properties) {
		ref, ok := properties[field].(object)["$ref"].(string)
		if !ok {
			continue
		}
		inner := schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		d.set(name+"/"+field+" inlined", "", properties, field, inner)
		d.set(name+"/"+field+" wrapped", "", properties, field, object{"allOf": []any{object{"$ref": ref}}})
	}
}
