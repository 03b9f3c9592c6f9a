package twoway

import (
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/language"
	"github.com/llama-orch/node-registration/contracts/pactfile"
)

// pathRules checks that the matchers on the path allow only paths of the operation. It tries
// paths that are one step away from the example: a loose regex matches one of them. The question
// cannot be decided for every regex.
func (c *checker) pathRules(op *operation) {
	const pointer = "/request/matchingRules/path"
	path, matchers := c.interaction.Request.Path, c.interaction.Request.Rules.Path
	if len(matchers) == 0 {
		return
	}
	for _, m := range matchers {
		c.matcher(pointer, anything(), []any{wireText(path)}, m)
	}
	strays := op.strays(path)
	if letThrough(matchers, path, path) {
		strays = append(strays, op.beyond(matchers)...)
	}
	for _, stray := range strays {
		if letThrough(matchers, path, stray) {
			c.add(pointer, line(op.spec.Origin, ""), "the path matcher lets through %q, which is not a path of %s",
				stray, op.name)
			return
		}
	}
}

func letThrough(matchers []pactfile.Matcher, example, path string) bool {
	for _, m := range matchers {
		switch m.Match {
		case "regex":
			if matches, err := wholeMatch(m.Regex); err != nil || !matches(path) {
				return false
			}
		case "equality":
			if path != example {
				return false
			}
		case "either":
			lets := func(one pactfile.Matcher) bool { return letThrough([]pactfile.Matcher{one}, example, path) }
			if !slices.ContainsFunc(m.Rules, lets) {
				return false
			}
		}
	}
	return true
}

// beyond returns a path that all of some regexes match and that is not the operation's, if there
// are only regexes.
func (op *operation) beyond(matchers []pactfile.Matcher) []string {
	var sent language.Language
	for _, m := range matchers {
		if m.Match != "regex" {
			return nil
		}
		sent.Patterns = append(sent.Patterns, patterns(m.Regex)...)
	}
	template := regexp.MustCompile(`\\\{[^{}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(op.template), `[^/]+`)
	var paths []string
	for _, prefix := range op.prefixes {
		paths = append(paths, regexp.QuoteMeta(prefix)+template)
	}
	verdict, path := language.Compare(sent, language.Language{Patterns: patterns(strings.Join(paths, "|"))})
	if verdict != language.Exceeds {
		return nil
	}
	return []string{path}
}

// strays returns paths near one of the operation's that are not the operation's.
func (op *operation) strays(path string) []string {
	segments := strings.Split(path, "/")
	strays := []string{path + "/x", strings.Join(segments[:len(segments)-1], "/")}
	template := strings.Split(op.template, "/")
	prefix := len(segments) - len(template) // that of a server
	for i, segment := range template {
		for _, other := range op.misfits(segment) {
			changed := slices.Clone(segments)
			changed[prefix+i] = other
			strays = append(strays, strings.Join(changed, "/"))
		}
	}
	return strays
}

// misfits returns what a segment of the template does not stand for.
func (op *operation) misfits(segment string) []string {
	name, isParameter := parameterName(segment)
	if !isParameter {
		if segment == "" { // before the first slash
			return nil
		}
		return []string{segment + "x"}
	}
	misfits := []string{"", "a/b"}
	schema := op.parametersIn(openapi3.ParameterInPath).schema(name)
	for _, text := range []string{" ", "a b", "-a", ".a", "_a", "é", "A", "0"} {
		if schema != nil && schema.Value.VisitJSON(typed(text, shapeOf(schema))) != nil {
			misfits = append(misfits, text)
		}
	}
	return misfits
}
