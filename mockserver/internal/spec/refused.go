package spec

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// RefusedInService returns a departure from what the orchestratord in service takes, as one of its own
// kind.
func RefusedInService(departure drift.Departure) drift.Departure {
	departure.Kind = drift.RefusedInService
	departure.Expected += " for the orchestratord in service"
	return departure
}

// BodyInService lists why the orchestratord in service would refuse a body, each place once. Where
// only its reader is stricter than its document, that is the place at which it stops. The value is
// what the body stands for; nil if it is not JSON.
func BodyInService(operation string, text []byte, value any, quote func(string) string) []drift.Departure {
	document := InService()
	schema := document.body(operation)
	mismatch := FirstMismatch(schema, text)
	if mismatch == nil {
		return nil
	}
	all, refused := []drift.Departure{mismatch.departure()}, []drift.Departure(nil)
	if value != nil {
		if broken := document.CheckBody(schema, value, len(text)); broken != nil {
			all = document.breaches(broken, quote)
		}
	}
	for _, departure := range all {
		same := func(other drift.Departure) bool { return other.Pointer == departure.Pointer }
		if !slices.ContainsFunc(refused, same) {
			refused = append(refused, RefusedInService(departure))
		}
	}
	return refused
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
	path    []int // to the field in the type of the body: indexes of fields, or items
}

// items stands for the items of an array.
const items = -1

// requiredInService returns the fields that the orchestratord in service requires and the
// document of the node API does not, by operation.
var requiredInService = sync.OnceValue(func() map[string][]requirement {
	found := map[string][]requirement{}
	for operation, body := range map[control.Operation]reflect.Type{
		control.OperationRegisterNode:  reflect.TypeFor[nodeapi.RegisterRequest](),
		control.OperationHeartbeatNode: reflect.TypeFor[nodeapi.HeartbeatRequest](),
	} {
		for _, pointer := range stricter(InService().body(string(operation)), Nodes().body(string(operation))) {
			missing := RefusedInService(drift.Departure{
				Operation: string(operation), Pointer: pointer, Expected: "must be there", Got: "nothing",
			})
			found[string(operation)] = append(found[string(operation)], requirement{missing, pathIn(body, pointer)})
		}
	}
	return found
})

// stricter lists the fields that one schema requires and another does not, in alphabetical order.
func stricter(strict, lenient *Schema) []string {
	var found []string
	for _, name := range strict.required {
		if !slices.Contains(lenient.required, name) {
			found = append(found, strict.pointer+"/"+jsonpointer.Token(name))
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
func pathIn(of reflect.Type, pointer string) []int {
	var path []int
	for step := range strings.SplitSeq(pointer[1:], "/") {
		for of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if step == "*" {
			path, of = append(path, items), of.Elem()
			continue
		}
		for field := range of.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name == step {
				path, of = append(path, field.Index[0]), field.Type
				break
			}
		}
	}
	return path
}

// lacks reports whether the field at the end of a path is missing, once at least.
func lacks(value reflect.Value, path []int) bool {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return len(path) == 0
		}
		value = value.Elem()
	}
	if len(path) == 0 {
		return false
	}
	if path[0] != items {
		return lacks(value.Field(path[0]), path[1:])
	}
	for i := range value.Len() {
		if lacks(value.Index(i), path[1:]) {
			return true
		}
	}
	return false
}
