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

	"github.com/llama-orch/node-registration/internal/strength"
)

// sabotage is the document with one thing changed.
type sabotage struct {
	name    string
	culprit string // what a message about it has to name
	text    []byte
}

// saboteur changes one thing of a document at a time.
type saboteur struct {
	t     *testing.T
	root  object
	count int // of sabotages, those included that are not in the sample
	made  []sabotage
}

func newSaboteur(t *testing.T, text []byte) *saboteur {
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
	return &saboteur{t: t, root: root}
}

// gone stands for a field that is left out.
var gone = &struct{ left string }{"out"}

// set makes a sabotage if it is in the sample: a field of an object with another value, or without one.
func (s *saboteur) set(name, culprit string, at object, field string, value any) {
	s.t.Helper()
	old, had := at[field]
	if at[field] = value; value == any(gone) {
		delete(at, field)
	}
	if strength.Tries(s.count, 96) {
		text, err := json.Marshal(s.root)
		if err != nil {
			s.t.Fatal(err)
		}
		s.made = append(s.made, sabotage{name, culprit, text})
	}
	s.count++
	if delete(at, field); had {
		at[field] = old
	}
}

// rename makes a sabotage: a field under another name.
func (s *saboteur) rename(name, culprit string, at object, field, other string) {
	value := at[field]
	delete(at, field)
	s.set(name, culprit, at, other, value)
	at[field] = value
}

func (s *saboteur) in(path ...string) object {
	at := s.root
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

// all makes all sabotages that the rules make of a document.
func (s *saboteur) all() []sabotage {
	schemas := s.in("components", "schemas")
	for _, name := range sorted(schemas) {
		s.schema(name, "", schemas[name].(object))
	}
	headers := s.in("components", "headers")
	for _, name := range sorted(headers) {
		header := headers[name].(object)
		s.toggle(name+" required", "", header, "required")
		s.schema("header "+name, "", header["schema"].(object))
	}
	for _, name := range sorted(s.in("components", "responses")) {
		s.response(name, s.in("components", "responses", name))
	}
	s.operations()
	s.security()
	s.set("a prefix of the servers", "", s.root, "servers", []any{object{"url": "/api"}})
	return s.made
}

// toggle makes a sabotage: a flag that is set is not, and the other way round.
func (s *saboteur) toggle(name, culprit string, at object, flag string) {
	set, _ := at[flag].(bool)
	s.set(fmt.Sprintf("%s %t", name, !set), culprit, at, flag, !set)
}

var otherType = map[string]string{
	"string": "integer", "integer": "string", "boolean": "string", "array": "object", "object": "array",
}

// schema changes each rule of a schema, and of those within it.
func (s *saboteur) schema(name, culprit string, schema object) {
	if ref, isRef := schema["$ref"].(string); isRef {
		for _, other := range []string{"NodeVersion", "GPU"} {
			if !strings.HasSuffix(ref, other) {
				s.set(name+" is a "+other, culprit, schema, "$ref", "#/components/schemas/"+other)
			}
		}
		return
	}
	if kind, ok := schema["type"].(string); ok {
		other := object{"type": otherType[kind], "description": "other"}
		if other["type"] == "array" {
			other["items"] = object{"type": "string"}
		}
		s.swap(name+" is "+otherType[kind], culprit, schema, other)
	}
	s.bounds(name, culprit, schema)
	if kind := schema["type"]; kind == "string" || kind == "integer" || kind == "array" {
		s.toggle(name+" nullable", culprit, schema, "nullable")
	}
	if schema["type"] == "array" {
		s.toggle(name+" uniqueItems", culprit, schema, "uniqueItems")
		s.schema(name+" items", culprit, schema["items"].(object))
	}
	s.enum(name, schema)
	s.fields(name, schema)
}

// swap makes a sabotage: all of a schema is another.
func (s *saboteur) swap(name, culprit string, schema, other object) {
	before := maps.Clone(schema)
	clear(schema)
	maps.Copy(schema, other)
	s.set(name, culprit, schema, "description", "other")
	clear(schema)
	maps.Copy(schema, before)
}

func (s *saboteur) bounds(name, culprit string, schema object) {
	for _, bound := range []string{"minimum", "maximum", "minLength", "maxLength", "maxItems"} {
		if value, ok := schema[bound].(float64); ok {
			s.set(name+" "+bound+" one more", culprit, schema, bound, value+1)
			if value > 0 {
				s.set(name+" "+bound+" one less", culprit, schema, bound, value-1)
			}
			if !strings.HasPrefix(bound, "min") || value > 0 {
				s.set(name+" "+bound+" gone", culprit, schema, bound, gone)
			}
		}
	}
	if _, ok := schema["pattern"]; ok {
		s.set(name+" pattern gone", culprit, schema, "pattern", gone)
		s.set(name+" pattern narrower", culprit, schema, "pattern", "^[a-c]+$")
	} else if schema["type"] == "string" && schema["enum"] == nil {
		s.set(name+" pattern", culprit, schema, "pattern", "^[a-c]+$")
	}
	if format, ok := schema["format"].(string); ok {
		s.set(name+" format gone", culprit, schema, "format", gone)
		other := cmp.Or(map[string]string{"date-time": "date", "int32": "int64", "int64": "int32"}[format], "email")
		s.set(name+" format "+other, culprit, schema, "format", other)
	}
}

func (s *saboteur) enum(name string, schema object) {
	values, _ := schema["enum"].([]any)
	for i, value := range values {
		fewer := slices.Delete(slices.Clone(values), i, i+1)
		s.set(fmt.Sprintf("%s without %v", name, value), fmt.Sprint(value), schema, "enum", fewer)
	}
	if len(values) > 0 {
		s.set(name+" with another value", "Sleeping", schema, "enum", append(slices.Clone(values), "Sleeping"))
	}
}

// fields changes which fields an object has, and which of them it must have.
func (s *saboteur) fields(name string, schema object) {
	properties, _ := schema["properties"].(object)
	if properties == nil {
		return
	}
	s.set(name+" closed", "", schema, "additionalProperties", false)
	required, _ := schema["required"].([]any)
	for _, field := range sorted(properties) {
		at, place := slices.Index(required, any(field)), name+"/"+field
		if at >= 0 {
			s.set(place+" optional", field, schema, "required", slices.Delete(slices.Clone(required), at, at+1))
		} else {
			s.set(place+" required", field, schema, "required", append(slices.Clone(required), field))
		}
		s.without(place, field, schema, at)
		s.schema(place, field, properties[field].(object))
	}
}

// without makes two sabotages: a field that is gone, and one under another name.
func (s *saboteur) without(place, field string, schema object, at int) {
	properties := schema["properties"].(object)
	value, before := properties[field], schema["required"]
	if required, _ := before.([]any); at >= 0 {
		schema["required"] = slices.Delete(slices.Clone(required), at, at+1)
	}
	s.set(place+" gone", field, properties, field, gone)
	if required, _ := before.([]any); at >= 0 {
		other := slices.Clone(required)
		other[at] = field + "_x"
		schema["required"] = other
	}
	s.rename(place+" renamed", field, properties, field, field+"_x")
	properties[field] = value
	if schema["required"] = before; before == nil {
		delete(schema, "required")
	}
}

// response changes the headers and the media types of an answer.
func (s *saboteur) response(name string, response object) {
	headers, _ := response["headers"].(object)
	for _, header := range sorted(headers) {
		s.set(name+" header "+header+" gone", header, headers, header, gone)
		s.rename(name+" header "+header+" renamed", header, headers, header, header+"-X")
	}
	content, _ := response["content"].(object)
	for _, media := range sorted(content) {
		s.rename(name+" as text", media, content, media, "text/plain")
		s.set(name+" of no schema", "", content[media].(object), "schema", object{})
	}
	if content != nil {
		s.set(name+" without a body", "", response, "content", gone)
	}
}

// operations changes paths, methods, requests and statuses.
func (s *saboteur) operations() {
	paths := s.in("paths")
	for _, path := range sorted(paths) {
		s.set(path+" gone", path, paths, path, gone)
		s.rename(path+" of another version", strings.TrimPrefix(path, "/v2"), paths, path,
			strings.Replace(path, "v2", "v3", 1))
		s.rename(path+" with a slash", path, paths, path, path+"/")
		item := paths[path].(object)
		for _, method := range sorted(item) {
			operation := item[method].(object)
			s.rename(path+" by another method", path, item, method, "patch")
			s.operation(method+" "+path, path, operation)
		}
	}
}

func (s *saboteur) operation(name, path string, operation object) {
	if body, ok := operation["requestBody"].(object); ok {
		s.set(name+" without a body", path, operation, "requestBody", gone)
		s.toggle(name+" body required", path, body, "required")
		content := body["content"].(object)
		for _, media := range sorted(content) {
			s.rename(name+" of another media type", path, content, media, "application/cbor")
		}
	}
	responses := operation["responses"].(object)
	for _, status := range sorted(responses) {
		s.set(name+" without "+status, status, responses, status, gone)
		s.rename(name+" with 418 for "+status, status, responses, status, "418")
		s.response(name+" "+status, responses[status].(object))
	}
	s.set(name+" needs a token", "bearerAuth", operation, "security", []any{object{"bearerAuth": []any{}}})
	more := object{"name": "q", "in": "query", "required": true, "schema": object{"type": "string"}}
	parameters, _ := operation["parameters"].([]any)
	s.set(name+" needs a parameter", "q", operation, "parameters", append(slices.Clone(parameters), more))
}

// security changes how callers show who they are.
func (s *saboteur) security() {
	scheme := s.in("components", "securitySchemes", "bearerAuth")
	s.set("basic authentication", "bearerAuth", scheme, "scheme", "basic")
	s.swap("a key in a header", "bearerAuth", scheme, object{"type": "apiKey", "in": "header", "name": "X-Key"})
	s.set("a token is needed", "bearerAuth", s.root, "security", []any{object{"bearerAuth": []any{}}})
	s.set("no token is taken", "bearerAuth", s.root, "security", []any{object{}})
	parameters := s.in("components", "parameters")
	for _, name := range sorted(parameters) {
		parameter := parameters[name].(object)
		if parameter["in"] == "header" {
			s.toggle(name+" required", "", parameter, "required")
			s.set(name+" under another name", parameter["name"].(string), parameter, "name", "X-Other")
		}
	}
}

// controls change what nobody minds.
func (s *saboteur) controls() []sabotage {
	s.described(s.root)
	schemas := s.in("components", "schemas")
	for _, name := range sorted(schemas) {
		schema := schemas[name].(object)
		for _, list := range []string{"required", "enum"} {
			if values, ok := schema[list].([]any); ok {
				reversed := slices.Clone(values)
				slices.Reverse(reversed)
				s.set(name+" with its "+list+" in another order", "", schema, list, reversed)
			}
		}
		if properties, ok := schema["properties"].(object); ok {
			s.set(name+" with a new field that is optional", "", properties, "extra", object{"type": "string"})
			s.inlined(name, schemas, properties)
		}
	}
	for _, name := range sorted(s.in("components", "responses")) {
		headers := s.in("components", "responses", name, "headers")
		s.set(name+" with a new header", "", headers, "X-New", object{"schema": object{"type": "string"}})
	}
	s.set("another title", "", s.in("info"), "title", "another")
	s.set("another description of the servers", "", s.root, "servers", []any{object{"url": "/", "description": "all"}})
	return s.made
}

// described gives each thing with a description another one, and no example.
func (s *saboteur) described(at object) {
	if _, ok := at["description"].(string); ok {
		s.set(fmt.Sprintf("another description than %.40q", at["description"]), "", at, "description", "another")
	}
	if _, ok := at["example"]; ok {
		s.set("no example in "+fmt.Sprintf("%.40q", at["description"]), "", at, "example", gone)
	}
	for _, name := range sorted(at) {
		if name != "example" {
			s.described(at[name].(object))
		}
	}
}

// inlined puts the schemas that fields refer to in place of the references, and wraps
// the references.
func (s *saboteur) inlined(name string, schemas, properties object) {
	for _, field := range sorted(properties) {
		ref, ok := properties[field].(object)["$ref"].(string)
		if !ok {
			continue
		}
		inner := schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		s.set(name+"/"+field+" inlined", "", properties, field, inner)
		s.set(name+"/"+field+" wrapped", "", properties, field, object{"allOf": []any{object{"$ref": ref}}})
	}
}
