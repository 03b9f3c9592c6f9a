package spec

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// Repair returns a copy of a body with only what keeps the contract, so that it binds to the generated
// types. Missing fields of the body and of objects in it get their zero value where the types require
// them. They are left out where another document does. Items of its arrays that lack such a field are
// left out whole. It reports false for a body that cannot be read: no object, or one that should name
// its node and does not.
func (d *Document) Repair(operation string, schema *Schema, body any) (any, bool) {
	object, ok := body.(map[string]any)
	if !ok {
		return nil, false
	}
	repaired, missing := d.repairObject(schema, Nodes().body(operation), object)
	if id := schema.field(d.nodeField); id != nil && slices.Contains(missing, id) {
		return nil, false
	}
	return repaired, true
}

// repairValue reports false when no part of the value is valid. A nested object counts as such if
// it lacks a required field that has no valid zero value.
func (d *Document) repairValue(schema, typed *Schema, value any) (any, bool) {
	switch value := value.(type) {
	case map[string]any:
		if len(schema.fields) > 0 {
			repaired, missing := d.repairObject(schema, typed, value)
			return repaired, len(missing) == 0
		}
	case []any:
		if schema.item != nil {
			return d.repairArray(schema, typed, value), true
		}
	}
	return value, d.check(schema.raw, value, openapi3.VisitAsRequest()) == nil
}

// repairObject also returns the required fields that stay missing, because their zero value would
// break the contract.
func (d *Document) repairObject(
	schema, typed *Schema, object map[string]any,
) (repaired map[string]any, missing []*Schema) {
	repaired = d.usable(schema, typed, object)
	for _, name := range schema.required {
		if _, there := repaired[name]; there {
			continue
		}
		zero, ok := d.zero(schema.fields[name])
		switch {
		case !ok:
			missing = append(missing, schema.fields[name])
		case typed.requires(name):
			repaired[name] = zero
		}
	}
	return repaired, missing
}

// usable returns the fields of an object that keep the contract.
func (d *Document) usable(schema, typed *Schema, object map[string]any) map[string]any {
	usable := map[string]any{}
	for name, field := range schema.fields {
		if member, there := object[name]; there {
			if member, ok := d.repairValue(field, typed.field(name), member); ok {
				usable[name] = member
			}
		}
	}
	return usable
}

func (d *Document) repairArray(schema, typed *Schema, items []any) []any {
	repaired, seen := []any{}, map[string]bool{}
	for _, item := range schema.first(items) {
		item, ok := d.repairItem(schema.item, typed.items(), item)
		if ok && schema.raw.UniqueItems {
			text := fmt.Sprint(item)
			ok = !seen[text]
			seen[text] = true
		}
		if ok {
			repaired = append(repaired, item)
		}
	}
	return repaired
}

// repairItem is repairValue for an item of an array. It reports false for an object that lacks a field which
// the types require: a zero would pass for what the node has sent.
func (d *Document) repairItem(schema, typed *Schema, item any) (any, bool) {
	object, ok := item.(map[string]any)
	if !ok || len(schema.fields) == 0 {
		return d.repairValue(schema, typed, item)
	}
	usable := d.usable(schema, typed, object)
	for _, name := range schema.required {
		if _, there := usable[name]; !there && typed.requires(name) {
			return nil, false
		}
	}
	return usable, true
}

// zero returns the zero value of a field, and false when it would break the contract. Without a schema
// anything will do.
func (d *Document) zero(field *Schema) (any, bool) {
	if field == nil {
		return nil, true
	}
	for _, zero := range []any{false, json.Number("0"), "", []any{}, map[string]any{}} {
		if repaired, ok := d.repairValue(field, field, zero); ok {
			return repaired, true
		}
	}
	return nil, false
}
