package mockserver

import (
	"encoding/json"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
)

// mend returns a copy of a body with only what keeps the contract, so that it binds to the
// generated types and answers that show it keep the contract too. Missing required fields get
// their zero value. It reports false for a body that cannot be read: no object, or one that
// should name its node and does not.
func (c *contract) mend(form *shape, body any) (any, bool) {
	object, ok := body.(map[string]any)
	if !ok {
		return nil, false
	}
	mended, lacking := c.mendObject(form, object)
	for _, field := range lacking {
		if field.schema == c.nodeID {
			return nil, false
		}
	}
	return mended, true
}

// mendValue reports false when nothing of the value is left. A nested object counts as such if
// it lacks a required field that has no valid zero value, such as a pool without an id.
func (c *contract) mendValue(form *shape, value any) (any, bool) {
	switch value := value.(type) {
	case map[string]any:
		if len(form.fields) > 0 {
			mended, lacking := c.mendObject(form, value)
			return mended, len(lacking) == 0
		}
	case []any:
		if form.item != nil {
			return c.mendArray(form, value), true
		}
	}
	return value, c.check(form.schema, value, openapi3.VisitAsRequest()) == nil
}

// mendObject returns besides the required fields that are lacking, because even their
// zero value would break the contract.
func (c *contract) mendObject(form *shape, object map[string]any) (mended map[string]any, lacking []*shape) {
	mended = map[string]any{}
	for name, field := range form.fields {
		if member, there := object[name]; there {
			if member, ok := c.mendValue(field, member); ok {
				mended[name] = member
			}
		}
	}
	for _, name := range form.required {
		if _, there := mended[name]; there {
			continue
		}
		if zero, ok := c.zero(form.fields[name]); ok {
			mended[name] = zero
		} else {
			lacking = append(lacking, form.fields[name])
		}
	}
	return mended, lacking
}

func (c *contract) mendArray(form *shape, items []any) []any {
	mended, seen := []any{}, map[string]bool{}
	for _, item := range form.first(items) {
		item, ok := c.mendValue(form.item, item)
		if ok && form.schema.UniqueItems {
			text := fmt.Sprint(item)
			ok = !seen[text]
			seen[text] = true
		}
		if ok {
			mended = append(mended, item)
		}
	}
	return mended
}

// zero returns the zero value of a field, and false when it would break the contract.
func (c *contract) zero(field *shape) (any, bool) {
	for _, zero := range []any{false, json.Number("0"), "", []any{}, map[string]any{}} {
		if mended, ok := c.mendValue(field, zero); ok {
			return mended, true
		}
	}
	return nil, false
}
