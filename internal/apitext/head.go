package apitext

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkHead returns an error for a value that is no document at all, or lacks what each has.
func checkHead(root *yaml.Node) error {
	const want = "must be an object with openapi, info and paths"
	if isNull(root) {
		return errors.New("it is empty: " + want)
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: it is %s: %s", root.Line, kindOf(root), want)
	}
	version := field(root, "openapi")
	swagger := field(root, "swagger")
	switch {
	case version == nil && swagger != nil:
		return fmt.Errorf("line %d: it is of Swagger %s: must be of OpenAPI 3.0 or 3.1", swagger.Line, swagger.Value)
	case version == nil:
		return errors.New("it has no openapi, the version that it is of: must be such as openapi: 3.0.3")
	case version.ShortTag() != "!!str":
		return fmt.Errorf("line %d: openapi is %s: must be a version such as 3.0.3", version.Line, kindOf(version))
	}
	is30, is31 := isOf("3.0", version.Value), isOf("3.1", version.Value)
	if !is30 && !is31 {
		return fmt.Errorf("line %d: openapi is %q: must be 3.0 or 3.1, such as 3.0.3", version.Line, version.Value)
	}
	return checkParts(root, is30)
}

func isOf(minor, version string) bool {
	return version == minor || strings.HasPrefix(version, minor+".")
}

// checkParts returns an error for a document that lacks a part. Since 3.1 there need be no paths.
func checkParts(root *yaml.Node, needsPaths bool) error {
	for _, name := range []string{"info", "paths"} {
		part := field(root, name)
		switch {
		case isNull(part) && (name != "paths" || needsPaths):
			return fmt.Errorf("it has no %s: must have openapi, info and paths", name)
		case !isNull(part) && part.Kind != yaml.MappingNode:
			return fmt.Errorf("line %d: /%s is %s: must be an object", part.Line, name, kindOf(part))
		}
	}
	return nil
}

func isNull(value *yaml.Node) bool { return value == nil || value.ShortTag() == "!!null" }

// field returns the value of a field, nil if there is none.
func field(object *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(object.Content); i += 2 {
		if object.Content[i].Value != name {
			continue
		}
		value := object.Content[i+1]
		if value.Kind == yaml.AliasNode {
			return value.Alias
		}
		return value
	}
	return nil
}

// kindOf says what a value is.
func kindOf(value *yaml.Node) string {
	switch value.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	switch value.ShortTag() {
	case "!!null":
		return "empty"
	case "!!str":
		return fmt.Sprintf("the text %.40q", value.Value)
	}
	return fmt.Sprintf("%.40s", value.Value)
}
