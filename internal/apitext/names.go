package apitext

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// checkNames returns an error for an object that has a name twice. A library would take either, and say nothing.
func checkNames(node *yaml.Node) error {
	if node.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i < len(node.Content); i += 2 {
			name := node.Content[i]
			if before := seen[name.Value]; before > 0 {
				return fmt.Errorf("line %d: %q is there a second time, after line %d", name.Line, name.Value, before)
			}
			seen[name.Value] = name.Line
		}
	}
	for _, inner := range node.Content { // which an alias has none of
		if err := checkNames(inner); err != nil {
			return err
		}
	}
	return nil
}
