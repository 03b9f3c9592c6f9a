package spec

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// InService returns the document that the orchestratord in service keeps. It is read once, when
// it is first needed.
var InService = sync.OnceValue(func() *Document {
	d := nodesDocument(openapi.InService)
	d.lenient()
	return d
})

// lenient has the document take what an orchestratord throws away, and expect no problems where
// there is no operation.
func (d *Document) lenient() {
	d.problem = nil
	for _, schema := range d.schemas {
		for _, field := range schema.Value.Properties {
			if field.Value.Type == nil && field.Value.Extensions[discarded] == true {
				field.Value.Nullable = true // or the validator takes anything but null
			}
		}
	}
}

// discarded marks the fields that an orchestratord reads and throws away.
const discarded = "x-discarded"

// Keep returns what an orchestratord keeps of a decoded body that is valid by the schema of its
// document: the fields that it does not throw away. A text that is no time, where types of the
// node API have one, becomes the zero time.
func Keep(operation string, schema *Schema, value any) any {
	return keep(schema, Nodes().body(operation), value)
}

func keep(schema, typed *Schema, value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			field := schema.field(name)
			switch {
			case field == nil:
			case field.raw.Extensions[discarded] == true:
				delete(value, name)
			default:
				value[name] = keep(field, typed.field(name), member)
			}
		}
	case []any:
		for i, item := range value {
			value[i] = keep(schema.items(), typed.items(), item)
		}
	case json.Number:
		return most(typed, value)
	case string:
		if _, err := time.Parse(time.RFC3339, value); err != nil && typed != nil && typed.raw.Format == "date-time" {
			return time.Time{}.Format(time.RFC3339)
		}
	}
	return value
}

// most returns the greatest number that the types of the node API hold, where a number is greater:
// that orchestratord knows greater ones.
func most(typed *Schema, number json.Number) any {
	size, err := number.Float64()
	if err == nil && typed != nil && typed.raw.Max != nil && size > *typed.raw.Max {
		return int64(*typed.raw.Max)
	}
	return number
}

// WithNulls returns a node as JSON, with null for what it lacks and may be null.
func WithNulls(node *nodeapi.Node) ([]byte, error) {
	value, err := Plain(node)
	if err != nil {
		return nil, err
	}
	listedNode().fill(value)
	return json.Marshal(value)
}

var listedNode = sync.OnceValue(func() *Schema { return schemaOf(InService().Schema("Node"), "") })

func (s *Schema) fill(value any) {
	object, _ := value.(map[string]any)
	for name, field := range s.fields {
		if member, there := object[name]; there {
			field.fill(member)
		} else if object != nil && field.raw.Nullable && field.raw.Type != nil {
			object[name] = nil
		}
	}
}

// AppendMissing appends the fields that the orchestratord in service requires and a body lacks.
// The body is valid by the document of the node API, and decoded: a pointer to the request of an
// operation.
func AppendMissing(missing []drift.Departure, operation string, body any) []drift.Departure {
	for _, field := range requiredInService()[operation] {
		if lacks(reflect.ValueOf(body), field.path) {
			missing = append(missing, field.missing)
		}
	}
	return missing
}

// requirement is a field that the orchestratord in service requires.
type requirement struct {
	missing drift.Departure
	path    [][]int // to the field in the type of the body: indexes of fields, nil for the items of an array
}

// requiredInService returns the fields that the orchestratord in service requires and the
// document of the node API does not, by operation.
var requiredInService = sync.OnceValue(func() map[string][]requirement {
	found := map[string][]requirement{}
	for operation, body := range map[control.Operation]reflect.Type{
		control.OperationRegisterNode:  reflect.TypeFor[nodeapi.RegisterRequest](),
		control.OperationHeartbeatNode: reflect.TypeFor[nodeapi.HeartbeatRequest](),
	} {
		for _, pointer := range stricter(InService().body(string(operation)), Nodes().body(string(operation))) {
			missing := drift.Departure{
				Operation: string(operation), Pointer: pointer, Kind: drift.RefusedInService,
				Expected: "must be there for the orchestratord in service", Got: "nothing",
			}
			found[string(operation)] = append(found[string(operation)], requirement{missing, pathIn(body, pointer)})
		}
	}
	return found
})

// body returns the schema of the body of an operation's requests, which has one content type.
func (d *Document) body(operation string) *Schema {
	for _, o := range d.Operations {
		for _, schema := range o.Bodies {
			if o.ID == operation {
				return schema
			}
		}
	}
	return nil
}

// stricter lists the fields that one schema requires and another does not, in alphabetical order.
func stricter(strict, lenient *Schema) []string {
	var found []string
	for _, name := range strict.required {
		if !slices.Contains(lenient.required, name) {
			found = append(found, strict.pointer+"/"+Step(name))
		}
	}
	for name, field := range strict.fields {
		if other := lenient.field(name); other != nil {
			found = append(found, stricter(field, other)...)
		}
	}
	if strict.item != nil && lenient.item != nil {
		found = append(found, stricter(strict.item, lenient.item)...)
	}
	slices.Sort(found)
	return found
}

// pathIn returns the path that a pointer takes in a type, by the names that its fields have in
// JSON.
func pathIn(of reflect.Type, pointer string) [][]int {
	var path [][]int
	for step := range strings.SplitSeq(pointer[1:], "/") {
		for of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if step == "*" {
			path, of = append(path, nil), of.Elem()
			continue
		}
		for field := range of.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name == step {
				path, of = append(path, field.Index), field.Type
				break
			}
		}
	}
	return path
}

// lacks reports whether the field at the end of a path is missing, once at least.
func lacks(value reflect.Value, path [][]int) bool {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return len(path) == 0
		}
		value = value.Elem()
	}
	if len(path) == 0 {
		return false
	}
	if path[0] != nil {
		return lacks(value.FieldByIndex(path[0]), path[1:])
	}
	for i := range value.Len() {
		if lacks(value.Index(i), path[1:]) {
			return true
		}
	}
	return false
}
