package breaking

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// Accepted lists breaks that were agreed on.
type Accepted struct {
	name    string
	entries []acceptance
}

// acceptance is one entry of the list. A field that is left empty matches anything.
type acceptance struct {
	Rule       string   `yaml:"rule"`
	Operations []string `yaml:"operations"` // such as "POST /v2/nodes/register"
	What       string   `yaml:"what"`       // a part of the text
	Reason     string   `yaml:"reason"`
	line       int
}

// UnmarshalYAML reads an entry, and remembers its line.
func (a *acceptance) UnmarshalYAML(node *yaml.Node) error {
	type plain acceptance
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		if name := node.Content[i].Value; !slices.Contains([]string{"rule", "operations", "what", "reason"}, name) {
			return fmt.Errorf("line %d: an entry has no field %q", node.Content[i].Line, name)
		}
	}
	if err := node.Decode((*plain)(a)); err != nil {
		return err
	}
	a.line = node.Line
	return nil
}

// LoadAccepted reads a YAML file of entries such as
//
//   - rule: request-property-became-required
//     operations: [POST /v2/nodes/register]
//     what: gpu_count
//     reason: no node in service leaves it out
//
// An entry accepts only changes all of whose operations it lists. Without a list it accepts
// changes of any operations and of the document as a whole. LoadAccepted fails on an entry that
// names no rule or gives no reason.
func LoadAccepted(path string) (*Accepted, error) {
	data, err := regularfile.ReadShort(path)
	if err != nil {
		return nil, err
	}
	accepted := &Accepted{name: path}
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&accepted.entries); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: not a list of accepted breaks: %w", path, wrongtype.Explain(err))
	}
	for _, entry := range accepted.entries {
		if entry.Rule == "" || entry.Reason == "" {
			return nil, fmt.Errorf("%s:%d: the entry names no rule, or gives no reason", path, entry.line)
		}
	}
	return accepted, nil
}

// Accept marks the breaks of the report that the list accepts. It reports entries that
// accept nothing as idle, because a break agreed on once must not cover a later one.
func (r *Report) Accept(accepted *Accepted) {
	for _, entry := range accepted.entries {
		used := false
		for i := range r.Changes {
			if entry.covers(r.Changes[i]) {
				r.Changes[i].Accepted = entry.Reason
				used = true
			}
		}
		if !used {
			r.Idle = append(r.Idle, fmt.Sprintf("%s:%d: %s", accepted.name, entry.line, entry.Rule))
		}
	}
}

func (a acceptance) covers(c Change) bool {
	if len(c.Breaks) == 0 || c.Rule != a.Rule || !strings.Contains(c.What, a.What) {
		return false
	}
	isOther := func(operation string) bool { return !slices.Contains(a.Operations, operation) }
	return len(a.Operations) == 0 || len(c.Where) > 0 && !slices.ContainsFunc(c.Where, isOther)
}
