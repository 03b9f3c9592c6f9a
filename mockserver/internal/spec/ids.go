package spec

import (
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// FitNodeID returns an id of a node, and "" for a text that is none.
func FitNodeID(id string) string {
	if !nodeapi.ValidNodeID(id) {
		return ""
	}
	return id
}

// CheckNodeID says what is wrong with the id of a node, and "" if nothing is.
func (d *Document) CheckNodeID(id string) string { return d.first(d.check(d.nodeID, id)) }

// NodeIDs are the ids of a list of nodes, each with the index of its node.
type NodeIDs map[nodeapi.NodeID]int

// Add adds the id of the node with an index. It says what is wrong with an id that another node has, and ""
// if nothing is.
func (ids NodeIDs) Add(index int, id nodeapi.NodeID) string {
	if first, taken := ids[id]; taken {
		return fmt.Sprintf("must be another id than that of node %d, %q", first, id)
	}
	ids[id] = index
	return ""
}

// CheckCorrelationID says what is wrong with a correlation id, and "" if nothing is.
func (d *Document) CheckCorrelationID(id string) string {
	if nodeapi.ValidCorrelationID(id) {
		return ""
	}
	return d.first(d.check(d.correlationID, id))
}

func (d *Document) first(broken error) string {
	if broken == nil {
		return ""
	}
	return d.Violations(broken, asItIs)[0].Detail
}

// asItIs quotes what no request has sent, or what is not repeated.
func asItIs(text string) string { return text }

// NodeInBody returns the node that a decoded body names. It reports false if such a body names
// none.
func (d *Document) NodeInBody(schema *Schema, body any) (id string, names bool) {
	object, _ := body.(map[string]any)
	id, _ = object[d.nodeField].(string)
	return id, schema.field(d.nodeField) != nil
}

// fieldOf returns the name of the field of a body that has a schema.
func fieldOf(operations []*Operation, schema *openapi3.Schema) string {
	for _, o := range operations {
		for _, body := range o.Bodies {
			for name, field := range body.fields {
				if field.raw == schema {
					return name
				}
			}
		}
	}
	return ""
}
