package twoway

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llama-orch/node-registration/internal/plural"
)

// Report is what a check found.
type Report struct {
	Document string    `json:"document"`
	Consumer string    `json:"consumer"`
	Provider string    `json:"provider"`
	Coverage []Row     `json:"coverage"` // operation by operation, as they follow each other in the document
	Findings []Finding `json:"findings"` // none when pact and document agree and nothing is left out
}

// Finding is one thing that is wrong.
type Finding struct {
	// Interaction is the description of the interaction it is about, if it is about
	// one.
	Interaction string `json:"interaction,omitempty"`
	// Pointer is the JSON pointer to it within the interaction, or within the
	// document when no interaction is to blame.
	Pointer string `json:"jsonPointer,omitempty"`
	// File and Line are the place that contradicts it, usually in the document. Line is
	// 0 if there is no such line.
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"text"`
}

// String returns the finding on one line, with the file and line that contradict it, if there is a line.
func (f Finding) String() string {
	if f.Line == 0 {
		return f.text()
	}
	return fmt.Sprintf("%s (%s:%d)", f.text(), f.File, f.Line)
}

func (f Finding) text() string {
	var subject []string
	if f.Interaction != "" {
		subject = append(subject, strconv.Quote(f.Interaction))
	}
	if f.Pointer != "" {
		subject = append(subject, f.Pointer)
	}
	if len(subject) == 0 {
		return f.Message
	}
	return strings.Join(subject, " ") + ": " + f.Message
}

// summary counts the findings, and the statuses that the document declares.
func (r *Report) summary() string {
	declared, exercised, exempt, verified := 0, 0, 0, 0
	for _, row := range r.Coverage {
		switch {
		case !row.Declared:
			continue
		case len(row.Interactions) > 0:
			exercised++
		case row.Exempt != "":
			exempt++
		}
		declared++
		if row.verified() {
			verified++
		}
	}
	return fmt.Sprintf("%s; of %d declared statuses %d are exercised (%d verified), %d exempt, %d left out",
		plural.Count(len(r.Findings), "finding"), declared, exercised, verified, exempt, declared-exercised-exempt)
}
