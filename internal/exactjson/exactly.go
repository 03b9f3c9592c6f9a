package exactjson

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// unmarshalExactly decodes objects member by member, and looks for the names of fields itself.
func unmarshalExactly(text []byte, into any) error {
	value := reflect.ValueOf(into).Elem()
	if _, is := into.(json.Unmarshaler); is {
		return json.Unmarshal(text, into)
	}
	switch value.Kind() {
	case reflect.Pointer:
		if string(text) == "null" {
			return json.Unmarshal(text, into)
		}
		if value.IsNil() {
			value.Set(reflect.New(value.Type().Elem()))
		}
		return unmarshalExactly(text, value.Interface())
	case reflect.Struct:
		return fields(text, value)
	case reflect.Map:
		return entries(text, value)
	case reflect.Slice:
		return elements(text, value)
	}
	return json.Unmarshal(text, into)
}

// fields decodes an object into a struct. Like encoding/json it goes on after a field that does not fit.
func fields(text []byte, of reflect.Value) error {
	var members map[string]json.RawMessage
	err := json.Unmarshal(text, &members)
	for field, value := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if member, ok := members[name]; ok {
			err = errors.Join(err, unmarshalExactly(member, value.Addr().Interface()))
		}
	}
	return err
}

func entries(text []byte, of reflect.Value) error {
	var members map[string]json.RawMessage
	err := json.Unmarshal(text, &members)
	if members != nil {
		of.Set(reflect.MakeMapWithSize(of.Type(), len(members)))
	}
	for name, member := range members {
		value := reflect.New(of.Type().Elem())
		err = errors.Join(err, unmarshalExactly(member, value.Interface()))
		of.SetMapIndex(reflect.ValueOf(name).Convert(of.Type().Key()), value.Elem())
	}
	return err
}

func elements(text []byte, of reflect.Value) error {
	var members []json.RawMessage
	err := json.Unmarshal(text, &members)
	if members != nil {
		of.Set(reflect.MakeSlice(of.Type(), len(members), len(members)))
	}
	for i, member := range members {
		err = errors.Join(err, unmarshalExactly(member, of.Index(i).Addr().Interface()))
	}
	return err
}
