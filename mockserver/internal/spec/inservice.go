package spec

import (
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

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
// document. These are the fields that it does not throw away. A text that is no time, where
// types of the node API have one, becomes the zero time.
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
// that orchestratord's are unsigned.
func most(typed *Schema, number json.Number) any {
	bits := 64
	if typed != nil && typed.raw.Format == "int32" {
		bits = 32
	}
	if greatest, err := strconv.ParseInt(string(number), 10, bits); errors.Is(err, strconv.ErrRange) {
		return greatest
	}
	return number
}

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

// WithNulls returns a node as JSON, with null for what it lacks and may be null.
func WithNulls(node *nodeapi.Node) ([]byte, error) {
	text, err := json.Marshal(node)
	if err != nil {
		return nil, err
	}
	value, err := Decode(text)
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
