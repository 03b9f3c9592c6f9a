// Command limits writes the limits of an OpenAPI document as a JavaScript module, for a page
// that offers and checks input by them.
//
//	go tool limits -o ../mockserver/dashboard/assets/limits.gen.js mock-control.yaml
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/program"
)

func main() { program.Run("limits", run) }

func run(out, file string) error {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true // from one document to another
	doc, err := loader.LoadFromFile(file)
	if err != nil {
		return err
	}
	schemas, parameters := map[string]limits{}, map[string]limits{}
	for name, schema := range doc.Components.Schemas {
		schemas[name] = limitsOf(schema)
	}
	for name, parameter := range doc.Components.Parameters {
		parameters[name] = limitsOf(parameter.Value.Schema)
	}
	var code bytes.Buffer
	fmt.Fprintf(&code, "// Code generated from %s. DO NOT EDIT.\n", filepath.Base(file))
	if err := export(&code, "schemas", schemas); err != nil {
		return err
	}
	if err := export(&code, "parameters", parameters); err != nil {
		return err
	}
	return os.WriteFile(out, code.Bytes(), 0o644)
}

// export writes a constant whose type states its values, so that the compiler knows them too.
func export(code *bytes.Buffer, name string, all map[string]limits) error {
	fmt.Fprintf(code, "\nexport const %s = /** @type {const} */ ({\n", name)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if len(all[key]) == 0 {
			continue
		}
		value, err := json.Marshal(all[key])
		if err != nil {
			return err
		}
		fmt.Fprintf(code, "  %s: %s,\n", key, value)
	}
	code.WriteString("});\n")
	return nil
}

// limits is what a schema says of numbers, texts and arrays, by the keywords of JSON Schema.
type limits map[string]any

// limitsOf returns the limits of a schema, or of the one that it refers to by itself. Fields
// that are schemas of their own have their limits there.
func limitsOf(ref *openapi3.SchemaRef) limits {
	schema := ref.Value
	found := limits{}
	add := func(keyword string, is bool, limit any) {
		if is {
			found[keyword] = limit
		}
	}
	add("minimum", schema.Min != nil, schema.Min)
	add("maximum", schema.Max != nil, schema.Max)
	add("minLength", schema.MinLength > 0, schema.MinLength)
	add("maxLength", schema.MaxLength != nil, schema.MaxLength)
	add("maxItems", schema.MaxItems != nil, schema.MaxItems)
	add("pattern", schema.Pattern != "", schema.Pattern)
	add("enum", schema.Enum != nil, schema.Enum)
	fields := map[string]limits{}
	for name, field := range schema.Properties {
		if of := limitsOf(field); field.Ref == "" && len(of) > 0 {
			fields[name] = of
		}
	}
	add("properties", len(fields) > 0, fields)
	return found
}
