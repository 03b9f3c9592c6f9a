package schema

import (
	"cmp"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// Object is a schema of type object, and the struct that oapi-codegen makes of it.
type Object struct {
	Type   string
	Fields []Field // by name
}

// Field is a property of an object, and the field of the struct.
type Field struct {
	Value
	Name     string // of the property
	GoName   string
	Required bool
	Pointer  bool // whether the Go field is one
}

// Expr returns the Go expression for the value of the field of v.
func (f Field) Expr() string {
	if f.Pointer {
		return "*v." + f.GoName
	}
	return "v." + f.GoName
}

// Value is what the document says of a property, of an item of an array, or of a parameter.
type Value struct {
	Kind     Kind
	Type     string // in Go
	Nullable bool
	Min, Max int64 // of an integer its value, of a text its characters, of an array its items

	Rule    string // a name for what the document says of a text
	Pattern string
	URI     bool

	Item   *Value // of an array
	Unique bool
}

// Kind distinguishes the values that take different code.
type Kind string

// The kinds of values.
const (
	Array   Kind = "array"
	Boolean Kind = "boolean"
	Enum    Kind = "enum"
	Integer Kind = "integer"
	Struct  Kind = "object"
	Text    Kind = "text"
	Time    Kind = "time"
)

// Objects returns the objects that schemas reach, by type. They are schemas of Bodies.
func Objects(refs []*openapi3.SchemaRef) []Object {
	found := map[string]*openapi3.SchemaRef{}
	for _, ref := range refs {
		reach(found, ref)
	}
	var objects []Object
	for _, name := range slices.Sorted(maps.Keys(found)) {
		objects = append(objects, Object{name, fields(name, flatten(found[name].Value))})
	}
	return objects
}

func reach(found map[string]*openapi3.SchemaRef, ref *openapi3.SchemaRef) {
	flat := flatten(ref.Value)
	switch {
	case flat.Type.Is(openapi3.TypeArray):
		reach(found, flat.Items)
	case flat.Type.Is(openapi3.TypeObject) && found[TypeName(ref)] == nil:
		found[TypeName(ref)] = ref
		for _, property := range flat.Properties {
			reach(found, property)
		}
	}
}

func fields(owner string, object *openapi3.Schema) []Field {
	var fields []Field
	for _, name := range slices.Sorted(maps.Keys(object.Properties)) {
		f := Field{Name: name, GoName: GoName(name), Required: slices.Contains(object.Required, name)}
		f.Value = newValue(owner+f.GoName, object.Properties[name])
		f.Pointer = f.Nullable || !f.Required
		fields = append(fields, f)
	}
	return fields
}

// newValue returns what a schema says. The name is for a schema that has none of its own.
func newValue(name string, ref *openapi3.SchemaRef) Value {
	flat := flatten(ref.Value)
	if ref.Ref == "" && len(ref.Value.AllOf) > 0 {
		ref = ref.Value.AllOf[0]
	}
	if ref.Ref != "" {
		name = TypeName(ref)
	}
	v := Value{Nullable: flat.Nullable, Pattern: flat.Pattern, URI: flat.Format == "uri", Unique: flat.UniqueItems}
	switch {
	case flat.Type.Is(openapi3.TypeArray):
		item := newValue(name, flat.Items)
		v.Kind, v.Type, v.Item = Array, "[]"+item.Type, &item
		v.Min, v.Max = int64(flat.MinItems), int64(*flat.MaxItems)
	case flat.Type.Is(openapi3.TypeBoolean):
		v.Kind, v.Type = Boolean, "bool"
	case flat.Type.Is(openapi3.TypeInteger):
		v.Kind, v.Type = Integer, cmp.Or(flat.Format, "int")
		v.Min, v.Max = int64(*flat.Min), int64(*flat.Max)
	case flat.Type.Is(openapi3.TypeObject):
		v.Kind, v.Type = Struct, name
	case len(flat.Enum) > 0:
		v.Kind, v.Type = Enum, name
	case flat.Format == "date-time":
		v.Kind, v.Type, v.Max = Time, "time.Time", int64(*flat.MaxLength)
	default:
		v.Kind, v.Type, v.Rule = Text, "string", initialisms(name)
		v.Min, v.Max = int64(flat.MinLength), int64(*flat.MaxLength)
	}
	return v
}
