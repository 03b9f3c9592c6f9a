package breaking

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/diff"
)

// security compares the credentials that both versions ask for. A client may choose among the
// alternatives of its version, so each of them has to do.
func (p pair) security(from, to *openapi3.T) {
	before, after := requirementsOf(from, p.from), requirementsOf(to, p.to)
	p.lostSchemes(before, after)
	for _, sent := range before {
		does := func(asked openapi3.SecurityRequirement) bool { return suffices(sent, asked) }
		if slices.ContainsFunc(after, does) {
			continue
		}
		p.refused[part{p.method, p.path, ""}] = true
		if len(sent) > 0 { // oasdiff finds that anonymous access is gone
			p.refuse(sent, after)
		}
	}
}

// refuse records that credentials are no longer enough, under oasdiff's name for them.
func (p pair) refuse(sent openapi3.SecurityRequirement, after openapi3.SecurityRequirements) {
	name := "`" + diff.SecurityAlternative{Schemes: sent}.String() + "`"
	f := finding{
		rule: "api-security-removed", part: "security", where: lineOf(p.to.Origin, "security"),
		what: "the endpoint scheme security " + name + " was removed from the API",
	}
	asksForMore := func(asked openapi3.SecurityRequirement) bool { return suffices(asked, sent) }
	if slices.ContainsFunc(after, asksForMore) {
		f.instead = "the endpoint scheme security " + name + " alone is no longer enough"
	}
	p.add(f)
}

// suffices reports whether credentials are all that is asked for.
func suffices(sent, asked openapi3.SecurityRequirement) bool {
	for scheme, scopes := range asked {
		held, has := sent[scheme]
		lacks := func(scope string) bool { return !slices.Contains(held, scope) }
		if !has || slices.ContainsFunc(scopes, lacks) {
			return false
		}
	}
	return true
}

// lostSchemes records the optional security schemes that an operation no longer accepts.
func (p pair) lostSchemes(before, after openapi3.SecurityRequirements) {
	isAnonymous := func(r openapi3.SecurityRequirement) bool { return len(r) == 0 }
	if !slices.ContainsFunc(before, isAnonymous) {
		return // security finds it
	}
	for _, requirement := range before {
		for _, scheme := range slices.Sorted(maps.Keys(requirement)) {
			takes := func(r openapi3.SecurityRequirement) bool { return r[scheme] != nil }
			if !slices.ContainsFunc(after, takes) {
				p.findings = append(p.findings, finding{
					rule: ruleSchemeDropped, method: p.method, path: p.path, where: lineOf(p.to.Origin, ""),
					what: "the optional security scheme `" + scheme + "` is no longer taken",
				})
			}
		}
	}
}

// requirementsOf returns the alternatives that an operation, or else its document, asks for.
// One without schemes stands for anonymous access, as does the lack of any.
func requirementsOf(api *openapi3.T, operation *openapi3.Operation) openapi3.SecurityRequirements {
	requirements := api.Security
	if operation.Security != nil {
		requirements = *operation.Security
	}
	if len(requirements) == 0 {
		return openapi3.SecurityRequirements{{}}
	}
	return requirements
}
