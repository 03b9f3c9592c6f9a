package mockserver

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/document"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// noteDrift takes down how a request departed from the document since it was last called for
// it. What is new is logged. In the exchange, nothing secret is left of it.
func (s *Server) noteDrift(x *exchange) {
	r := x.request
	departures := x.departures[x.noted:]
	if len(departures) == 0 {
		return
	}
	for i := range departures {
		d := &departures[i]
		for _, text := range []*string{&d.Pointer, &d.Expected, &d.Got} {
			*text = journal.Masked(*text, r.Header)
		}
	}
	x.noted = len(x.departures)
	seen := drift.Sighting{NodeID: x.nodeID, At: s.clock.Now()}
	for _, departure := range s.drift.Add(seen, departures) {
		s.logDrift(r, seen.NodeID, departure)
	}
}

// malformed returns the departure that is a body which is not JSON.
func malformed(operation string, body []byte, err error) drift.Departure {
	got := err.Error()
	if len(body) == 0 {
		got = "nothing"
	}
	return drift.Departure{Operation: operation, Kind: drift.Malformed, Expected: "must be JSON", Got: got}
}

// givenTwice returns the departures that are fields which an object has more than once.
func givenTwice(operation string, pointers []string) []drift.Departure {
	var found []drift.Departure
	for _, pointer := range pointers {
		found = append(found, drift.Departure{
			Operation: operation, Pointer: pointer, Kind: drift.Twice,
			Expected: "must be there once", Got: "more than one, of which the last counts",
		})
	}
	return found
}

// sender returns the id of the node that a request is about: the one in the body if there
// should be one, else the one in the path. It is "" if the id does not fit the document.
func (c *contract) sender(inPath string, form *shape, body any) string {
	object, _ := body.(map[string]any)
	for name, field := range form.fields {
		if field.schema == c.nodeID {
			id, _ := object[name].(string)
			return fitting(id)
		}
	}
	return inPath
}

// fitting returns an id of a node, and "" for a text that is none.
func fitting(id string) string {
	if !wire.FitsNodeID(id) {
		return ""
	}
	return id
}

// departures lists how a body departs from the contract, each way once, however many
// items of an array go it. Of each sort it lists as many as a problem would.
func (c *contract) departures(r *http.Request, operation string, form *shape, body any, broken error) []drift.Departure {
	var found []drift.Departure
	if broken != nil {
		found = c.breaches(operation, broken)
	}
	room := c.maxViolations
	form.unknown(body, func(in *shape, name string) bool {
		departure := unknownField(operation, in, quote(r, name))
		if !slices.Contains(found, departure) {
			found = append(found, departure)
			room--
		}
		return room > 0
	})
	return found
}

// breaches lists the ways in which a body breaks the contract, given what check found.
func (c *contract) breaches(operation string, broken error) []drift.Departure {
	var found []drift.Departure
	document.Walk(broken, func(broken *openapi3.SchemaError) bool {
		at := folded(document.Pointer(broken))
		known := func(d drift.Departure) bool { return d.Pointer == at && d.Kind == broken.SchemaField }
		if !slices.ContainsFunc(found, known) {
			found = append(found, breach(operation, at, broken))
		}
		return len(found) < c.maxViolations
	})
	return found
}

func breach(operation, at string, broken *openapi3.SchemaError) drift.Departure {
	expected, got := document.Explain(broken)
	switch {
	case broken.SchemaField == "required":
		expected, got = "must be there", "nothing"
	case got == "":
		got = document.Describe(broken.Value)
	}
	return drift.Departure{Operation: operation, Pointer: at, Kind: broken.SchemaField, Expected: expected, Got: got}
}

// folded returns a pointer with * for every index. No field that the contract names
// looks like an index.
func folded(pointer string) string {
	steps := strings.Split(pointer, "/")
	for i, step := range steps {
		if step != "" && strings.Trim(step, "0123456789") == "" {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, "/")
}

// unknownField returns the departure that is a field of an object of this shape. The
// name can be anything.
func unknownField(operation string, in *shape, name string) drift.Departure {
	expected := "must be a field that the contract names"
	if near := document.Nearest(name, slices.Sorted(maps.Keys(in.fields))); near != "" {
		expected += ", perhaps " + inQuotes(near)
	}
	return drift.Departure{
		Operation: operation,
		Pointer:   in.pointer + "/" + document.Step(name),
		Kind:      drift.Unknown,
		Expected:  expected,
		Got:       inQuotes(name),
	}
}
