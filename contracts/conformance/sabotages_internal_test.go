package conformance

import (
	"slices"
	"strings"
)

// sabotages returns all that a saboteur does, made from the document.
func sabotages(doc *document) []sabotage {
	var all []sabotage
	for _, op := range doc.operations {
		all = append(all, ofBodies(op)...)
		all = append(all, ofStatuses(op)...)
		all = append(all, ofHeaders(op)...)
		all = append(all, ofTexts(op)...)
		all = append(all, ofTransport(op)...)
		if op.request != nil {
			all = append(all, ofRefusals(op)...)
			all = append(all, ofLeniency(op)...)
			all = append(all, ofLooseForms(op)...)
		}
	}
	all = append(all, ofProblems(doc)...)
	all = append(all, ofRecords(doc)...)
	all = append(all, ofMeaning()...)
	all = append(all, ofState()...)
	all = append(all, ofNames()...)
	all = append(all, ofTokens(doc)...)
	all = append(all, ofSilence()...)
	all = append(all, ofProtocol(doc)...)
	slices.SortFunc(all, func(a, b sabotage) int { return strings.Compare(a.name, b.name) })
	return all
}
