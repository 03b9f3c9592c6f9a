package breaking

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
)

// closedRequests is a rule that oasdiff does not have: it finds the objects of
// requests that took fields of any name, and now take those alone that they name.
func closedRequests(difference *diff.Diff, _ *diff.OperationsSourcesMap, _ *checker.Config) checker.Changes {
	if difference.PathsDiff == nil {
		return nil
	}
	var found checker.Changes
	for path, item := range difference.PathsDiff.Modified {
		if item.OperationsDiff == nil {
			continue
		}
		for method, operation := range item.OperationsDiff.Modified {
			for _, object := range closedIn(operation.RequestBodyDiff) {
				found = append(found, closing{checker.ApiChange{
					Id:        "request-object-closed",
					Args:      []any{object},
					Level:     checker.ERR,
					Operation: method,
					Path:      path,
				}})
			}
		}
	}
	return found
}

// closing is a change for which oasdiff has no words.
type closing struct{ checker.ApiChange }

// GetUncolorizedText returns them.
func (c closing) GetUncolorizedText(checker.Localizer) string {
	object := "request"
	if c.Args[0] != "" {
		object = fmt.Sprintf("request property `%s`", c.Args[0])
	}
	return "the " + object + " no longer takes fields that the document does not name"
}

func closedIn(body *diff.RequestBodyDiff) []string {
	if body == nil || body.ContentDiff == nil {
		return nil
	}
	var objects []string
	for _, media := range body.ContentDiff.MediaTypeModified {
		objects = append(objects, closed(media.SchemaDiff, "")...)
	}
	return objects
}

// closed returns the paths of the objects that became closed, at a path and below.
func closed(schema *diff.SchemaDiff, path string) []string {
	if schema == nil || schema.Base == nil || schema.Revision == nil {
		return nil
	}
	var objects []string
	if isOpen(schema.Base) && !isOpen(schema.Revision) {
		objects = append(objects, path)
	}
	below := func(inner *diff.SchemaDiff, name string) {
		objects = append(objects, closed(inner, strings.Trim(path+"/"+name, "/"))...)
	}
	below(schema.ItemsDiff, "items")
	below(schema.AdditionalPropertiesDiff, "additionalProperties")
	if schema.PropertiesDiff != nil {
		for name, property := range schema.PropertiesDiff.Modified {
			below(property, name)
		}
	}
	for _, parts := range []*diff.SubschemasDiff{schema.AllOfDiff, schema.AnyOfDiff, schema.OneOfDiff} {
		if parts != nil {
			for _, part := range parts.Modified {
				below(part.Diff, "")
			}
		}
	}
	return objects
}

func isOpen(schema *openapi3.Schema) bool {
	return schema.AdditionalProperties.Has == nil || *schema.AdditionalProperties.Has
}
