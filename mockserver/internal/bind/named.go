package bind

import (
	"reflect"
	"strings"
)

// named returns a decoded JSON value without the members of objects whose names are not exactly
// those of the fields of the type. encoding/json would take "Node_ID" for "node_id".
func named(value any, of reflect.Type) any {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch value := value.(type) {
	case []any:
		if of.Kind() != reflect.Slice {
			return value
		}
		elements := make([]any, len(value))
		for i, element := range value {
			elements[i] = named(element, of.Elem())
		}
		return elements
	case map[string]any:
		return members(value, of)
	}
	return value
}

// members does what named does, for an object.
func members(object map[string]any, of reflect.Type) any {
	kept := map[string]any{}
	switch of.Kind() {
	case reflect.Map:
		for name, member := range object {
			kept[name] = named(member, of.Elem())
		}
	case reflect.Struct:
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if member, ok := object[name]; ok {
				kept[name] = named(member, field.Type)
			}
		}
	default:
		return object
	}
	return kept
}
