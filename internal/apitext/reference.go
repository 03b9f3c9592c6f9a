package apitext

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// What the library says of a $ref that leads nowhere.
var (
	nowhere    = regexp.MustCompile(`^failed to resolve .* in fragment in URI: "(.*?)"`)
	forbidden  = regexp.MustCompile(`^encountered disallowed external reference: "(.*?)"`)
	unreadable = regexp.MustCompile(`^error resolving reference "(.*?)": `)
)

// aboutReference says of an error about a $ref where that is, and what is wrong with it.
func aboutReference(root *yaml.Node, err error) error {
	text := err.Error()
	if m := nowhere.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s$ref %q refers to nothing", line(root, m[1]), m[1])
	}
	if m := forbidden.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s$ref %q refers to another file: must stay in this one", line(root, m[1]), m[1])
	}
	if m := unreadable.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s$ref %q: %s", line(root, m[1]), m[1], text[len(m[0]):])
	}
	return err
}

// line returns the line of the first $ref of that value, or "".
func line(node *yaml.Node, ref string) string {
	if node == nil {
		return ""
	}
	if node.Kind == yaml.MappingNode {
		if value := field(node, "$ref"); value != nil && value.Value == ref {
			return fmt.Sprintf("line %d: ", value.Line)
		}
	}
	for _, inner := range node.Content { // which an alias has none of
		if found := line(inner, ref); found != "" {
			return found
		}
	}
	return ""
}
