package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/yamlwords"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// MaxFile is how many bytes a file of faults may have: as many as a body of the control API.
const MaxFile = 16 << 20

// ReadFile returns the faults of a YAML or JSON file, which is a regular one. The error names
// the file; for what is wrong with the faults in it, it is an Invalid. Reading ends with ctx.
func ReadFile(ctx context.Context, name string) (map[string]control.FaultDefinition, error) {
	text, err := regularfile.Read(ctx, name, MaxFile)
	if err != nil {
		return nil, err
	}
	faults, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return faults, nil
}

// Parse returns the faults that a YAML or JSON text has, by name. The error, an Invalid
// if the text could be read, lists everything that is wrong with them.
func Parse(text []byte) (map[string]control.FaultDefinition, error) {
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	if value, err = spec.Plain(value); err != nil {
		return nil, err
	}
	var wrong Invalid
	wrong.inSchema("", "FaultFile", value)
	var file control.FaultFile
	if err := exactjson.Bind(value, &file); err == nil {
		wrong.beyond(file.Faults)
	} else if wrong == nil {
		return nil, err
	}
	if wrong != nil {
		return nil, wrong
	}
	return file.Faults, nil
}

// decode reads YAML or JSON. JSON is tried first: not all of it is YAML.
func decode(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the text is not UTF-8")
	}
	var value any
	if json.Unmarshal(text, &value) == nil {
		return value, nil
	}
	documents := yaml.NewDecoder(bytes.NewReader(text))
	var first yaml.Node
	if err := documents.Decode(&first); err != nil && !errors.Is(err, io.EOF) {
		return nil, yamlwords.Plain(err)
	}
	if !errors.Is(documents.Decode(new(yaml.Node)), io.EOF) {
		return nil, errors.New("there must be one document, and nothing after it")
	}
	nameAsText(&first)
	err := first.Decode(&value)
	return value, yamlwords.Plain(err)
}

// nameAsText makes text of names that look like something else to YAML: 1 and true are
// names, too.
func nameAsText(node *yaml.Node) {
	for i, member := range node.Content {
		isName := node.Kind == yaml.MappingNode && i%2 == 0
		if isName && member.Kind == yaml.ScalarNode && member.Tag != "!!merge" {
			member.Tag = "!!str"
		}
		nameAsText(member)
	}
}
