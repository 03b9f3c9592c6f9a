package breaking

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
	"github.com/llama-orch/node-registration/contracts/internal/subset"
)

// finding is a change between the documents, wherever it was found.
type finding struct {
	rule         string
	method, path string   // of the operation, empty for the document as a whole
	part         string   // of the operation: "request", "query q", "response 200"
	property     string   // path of a field within the part, empty for the whole of it
	mentions     []string // what oasdiff's message mentions
	status       string   // that the text mentions
	what         string
	instead      string // the text to report where oasdiff's, which is in what, says too much
	why          string
	breaking     bool
	compared     bool // whether the comparison of the allowed values has found it too
	where        place
}

// place is a line of a file; the line is 0 where it is not known.
type place struct {
	file string
	line int
}

// lineOf returns the place of a field, or else the place where its object begins.
func lineOf(origin *openapi3.Origin, field string) place {
	at := apidoc.Locate(origin, field)
	return place{at.File, at.Line}
}

// findBreaks returns what breaks somebody who keeps to one version and meets the other, and
// what else is different.
func findBreaks(from, to version) ([]finding, error) {
	c := comparison{
		proven: map[part]bool{}, requestFields: map[part]map[string]bool{}, refused: map[part]bool{},
	}
	for _, template := range from.api.Paths.InMatchingOrder() {
		partner := samePath(to.api, template)
		if partner == "" {
			continue // which oasdiff finds
		}
		operations := from.api.Paths.Value(template).Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			other := to.api.Paths.Value(partner).Operations()[method]
			if other == nil {
				continue
			}
			p := pair{comparison: &c, method: method, path: template, from: operations[method], to: other}
			p.names = sameParameters(template, partner)
			p.compare()
			p.changedPrefix(from, to)
			p.security(from.api, to.api)
		}
	}
	theirs, err := oasdiffFindings(from, to)
	if err != nil {
		return nil, err
	}
	return c.overrule(theirs), nil
}

var parameterInPath = regexp.MustCompile(`\{([^{}]*)\}`)

// samePath returns the path of a document that equals a template but for the names of its
// parameters. It returns an empty string if there is none.
func samePath(api *openapi3.T, template string) string {
	if api.Paths.Value(template) != nil {
		return template
	}
	for other := range api.Paths.Map() {
		if isSamePath(other, template) {
			return other
		}
	}
	return ""
}

func isSamePath(a, b string) bool {
	return parameterInPath.ReplaceAllString(a, "{}") == parameterInPath.ReplaceAllString(b, "{}")
}

// sameParameters maps the names of the parameters of a path to their names in its partner.
func sameParameters(template, partner string) map[string]string {
	names := map[string]string{}
	theirs := parameterInPath.FindAllStringSubmatch(partner, -1)
	for i, ours := range parameterInPath.FindAllStringSubmatch(template, -1) {
		names[ours[1]] = theirs[i][1]
	}
	return names
}

// comparison collects what a comparison of the allowed values has found.
type comparison struct {
	findings []finding
	// proven are the parts of operations that both versions have, and whether they are
	// proven compatible.
	proven map[part]bool
	// refused are the operations whose requests may no longer be let in.
	refused map[part]bool
	// requestFields are the fields of requests in the version met, by their paths.
	requestFields map[part]map[string]bool
}

type part struct{ method, path, name string }

// pair is an operation as both versions have it.
type pair struct {
	*comparison
	method, path string
	names        map[string]string // of the parameters in its path, in the other version
	from, to     *openapi3.Operation
}

func (p pair) compare() {
	p.parameters()
	p.requestBody()
	p.responses()
	p.lostServers()
}

// add records a break.
func (p pair) add(f finding) {
	f.method, f.path, f.breaking = p.method, p.path, true
	if f.where.line == 0 {
		f.where = lineOf(p.to.Origin, "")
	}
	p.findings = append(p.findings, f)
}

// gaps records the values that one side sends and the other does not expect. It reports
// whether it is certain that there are none. Requests follow the first version, answers
// the second.
func (p pair) gaps(part, subject string, direction subset.Direction, sent, expected *openapi3.SchemaRef) bool {
	result := subset.Compare(direction, sent, expected)
	for _, gap := range result.Gaps {
		f := finding{part: part, property: gap.Where(), status: statusOf(part)}
		name := subject
		if f.property != "" {
			name = subject + " property `" + f.property + "`"
		}
		if direction == subset.Request {
			f.rule = ruleOf("request", gap, "narrowed")
			f.what = "the " + name + " no longer takes " + gap.Values
			f.where = lineOf(gap.Outer.Origin, gap.Keyword)
		} else {
			f.rule = ruleOf("response", gap, "widened")
			f.what = "the " + name + " may now be " + gap.Values
			if gap.Inner != nil {
				f.where = lineOf(gap.Inner.Origin, gap.Keyword)
			}
		}
		p.add(f)
	}
	return result.Proven()
}

// ruleOf returns the name that oasdiff gives to this kind of change.
func ruleOf(subject string, gap subset.Gap, change string) string {
	if closed := gap.Outer.AdditionalProperties.Has; gap.Keyword == "additionalProperties" && closed != nil &&
		!*closed {
		return subject + map[string]string{"narrowed": "-object-closed", "widened": "-object-opened"}[change]
	}
	if gap.Keyword == "additionalProperties" {
		return subject + "-additional-properties-" + change
	}
	return subject + "-" + gap.Keyword + "-" + change
}

// prove records that nothing breaks in a part of the operation.
func (p pair) prove(name string) {
	p.proven[part{p.method, p.path, name}] = true
}

// answered records that the version met has an answer, if perhaps by its range.
func (p pair) answered(name string) {
	p.proven[part{p.method, p.path, name}] = false
}

// isProven reports whether nothing breaks in the part that a finding is about. Some messages
// of oasdiff about answers do not mention the status: they may be about any answer.
func (c *comparison) isProven(f finding) bool {
	if f.part != "" || !strings.HasPrefix(f.rule, "response") {
		return c.proven[part{f.method, f.path, f.part}]
	}
	some := false
	for at, proven := range c.proven {
		if at.method == f.method && at.path == f.path && strings.HasPrefix(at.name, "response ") {
			if !proven {
				return false
			}
			some = true
		}
	}
	return some
}
