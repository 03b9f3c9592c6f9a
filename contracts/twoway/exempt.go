package twoway

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// Exemptions list statuses that no interaction has to exercise.
type Exemptions struct {
	name    string
	entries []exemption
}

// exemption is one of them, for one operation.
type exemption struct {
	operation string
	status    string
	reason    string
	line      int
}

// LoadExemptions reads a file as ReadExemptions does.
func LoadExemptions(path string) (*Exemptions, error) {
	data, err := regularfile.ReadShort(path)
	if err != nil {
		return nil, err
	}
	return ReadExemptions(path, data)
}

// ReadExemptions reads YAML of entries such as
//
//   - status: 405
//     operations: [registerNode, listNodes]
//     reason: the client uses no method but those of the document
//
// It fails on an entry that gives no reason. Findings name the path.
func ReadExemptions(path string, data []byte) (*Exemptions, error) {
	var entries []struct {
		Status     yaml.Node   `yaml:"status"`
		Operations []yaml.Node `yaml:"operations"`
		Reason     string      `yaml:"reason"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&entries); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: not a list of exemptions: %w", path, wrongtype.Explain(err))
	}
	exemptions := &Exemptions{name: path}
	for _, entry := range entries {
		if entry.Reason == "" {
			return nil, fmt.Errorf("%s:%d: the exemption gives no reason", path, entry.Status.Line)
		}
		for _, operation := range entry.Operations {
			exemptions.entries = append(exemptions.entries,
				exemption{operation.Value, entry.Status.Value, entry.Reason, operation.Line})
		}
	}
	return exemptions, nil
}

// reason returns why a status is exempt, nothing when it is not.
func (e *Exemptions) reason(operation, status string) string {
	if e == nil {
		return ""
	}
	for _, entry := range e.entries {
		if entry.operation == operation && entry.status == status {
			return entry.reason
		}
	}
	return ""
}

// unneeded finds the entries that exempt nothing.
func (e *Exemptions) unneeded(rows []Row) []Finding {
	if e == nil {
		return nil
	}
	type declaration struct{ operation, status string }
	declared, seen := map[declaration]Row{}, map[declaration]bool{}
	for _, row := range rows {
		if row.Declared {
			declared[declaration{row.Operation, row.Status}] = row
		}
	}
	var findings []Finding
	for _, entry := range e.entries {
		at := declaration{entry.operation, entry.status}
		row, known := declared[at]
		message := ""
		switch {
		case !known:
			message = "the document declares no such status"
		case len(row.Interactions) > 0:
			message = fmt.Sprintf("interaction %q exercises it", row.Interactions[0])
		case seen[at]:
			message = "an entry above says so already"
		}
		if message != "" {
			findings = append(findings, Finding{
				File:    e.name,
				Line:    entry.line,
				Message: fmt.Sprintf("%s of %s is exempt for nothing: %s", entry.status, entry.operation, message),
			})
		}
		seen[at] = true
	}
	return findings
}
