// Package walkable finds what an OpenAPI document must not have for a program to walk through its
// schemas. These are three: null in place of an object, a schema that is a part of itself, and schemas
// that repeat each other too often for a walk.
package walkable

import (
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// most is how many schemas a document may unfold to, where each reference counts as what it refers to.
// Hours pass in comparing documents that unfold to a few millions.
const most = 100_000

// Check returns an error for a document that nothing can walk through. A schema may refer to itself in
// its fields or items, since that describes a tree: its values have an end.
func Check(document *openapi3.T) error {
	if i := slices.Index(document.Tags, nil); i >= 0 {
		return isNull(fmt.Sprintf("#/tags/%d", i))
	}
	s := search{place: "#/components/schemas"}
	if document.Components != nil {
		var schemas parts
		schemas.named("", document.Components.Schemas, 0)
		for _, schema := range schemas {
			if err := s.visit(schema, 0); err != nil {
				return err
			}
		}
	}
	return Places(document, func(place string, schema **openapi3.SchemaRef) error {
		if *schema == nil {
			return nil
		}
		s.place = place
		return s.visit(part{ref: *schema}, 0)
	})
}

// search unfolds schemas.
type search struct {
	place string // of the document
	count int    // the schemas that were visited
	path  []step // from the place to the schema at hand
}

// step leads to a schema that the one at hand is a part of.
type step struct {
	part
	depth  int // how many fields and items lead to the value that the schema is about
	before int // the schemas that were visited before
}

func (s *search) visit(p part, depth int) error {
	s.path = append(s.path, step{p, depth, s.count})
	defer func() { s.path = s.path[:len(s.path)-1] }()
	if p.ref == nil || p.ref.Value == nil {
		return isNull(s.name(s.path))
	}
	for _, outer := range s.path[:len(s.path)-1] {
		switch {
		case outer.ref.Value == p.ref.Value && outer.depth == depth:
			return fmt.Errorf("schema %s is a part of itself", s.name(s.path))
		case outer.ref.Value == p.ref.Value:
			return nil // a tree goes on as its values do
		}
	}
	if s.count++; s.count > most {
		return fmt.Errorf("schema %s makes the document unfold to more than %d schemas", s.culprit(), most)
	}
	for _, inner := range partsOf(p.ref.Value) {
		if err := s.visit(inner, depth+inner.deeper); err != nil {
			return err
		}
	}
	return nil
}

// name names the schema at the end of a path.
func (s *search) name(path []step) string {
	name := s.place
	for _, next := range path {
		if name = join(name, next.keyword, next.key); next.ref != nil && next.ref.Ref != "" {
			name = next.ref.Ref
		}
	}
	return name
}

// culprit names the innermost schema that most of the visits were within.
func (s *search) culprit() string {
	last := len(s.path)
	for last > 1 && s.count-s.path[last-1].before <= most/2 {
		last--
	}
	return s.name(s.path[:last])
}

func isNull(place string) error { return fmt.Errorf("%s is null: it must be an object", place) }
