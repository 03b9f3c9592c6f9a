// Package exactjson decodes JSON into structs by the exact names of their fields. To encoding/json,
// "Node_ID" is as good as "node_id"; to orchestratord it is another field.
package exactjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
)

// Unmarshal is json.Unmarshal with exact names. All fields of the structs have names for JSON.
func Unmarshal(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON")
	}
	return Bind(value, into)
}

// Bind is Unmarshal for what has been decoded into maps, slices and scalars.
func Bind(value, into any) error {
	text, err := json.Marshal(named(value, reflect.TypeOf(into)))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// named returns a value without the members of objects whose names are not those of the fields of
// the type.
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
