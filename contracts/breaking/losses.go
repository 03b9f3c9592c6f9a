package breaking

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// whyLoss explains a change that takes something away.
const whyLoss = "It was optional, so nobody can count on it; but whoever uses it finds it gone."

// isLoss reports whether a difference removes something optional that somebody may use: a
// field or header of an answer, or a way to authenticate. oasdiff lists it as a note only.
func (f finding) isLoss() bool {
	switch f.rule {
	case "response-optional-property-removed", "optional-response-header-removed", ruleSchemeDropped:
		return !f.breaking
	}
	return false
}

// ruleSchemeDropped is the rule for a security scheme that is no longer accepted. oasdiff
// does not report optional ones.
const ruleSchemeDropped = "api-optional-security-removed"

// lostSchemes records the optional security schemes that an operation no longer accepts.
func (p pair) lostSchemes(from, to *openapi3.T) {
	before, after := requirementsOf(from, p.from), requirementsOf(to, p.to)
	isAnonymous := func(r openapi3.SecurityRequirement) bool { return len(r) == 0 }
	if !slices.ContainsFunc(before, isAnonymous) {
		return // oasdiff finds it
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

// requirementsOf returns the security requirements of an operation, or of its document.
func requirementsOf(api *openapi3.T, operation *openapi3.Operation) openapi3.SecurityRequirements {
	if operation.Security != nil {
		return *operation.Security
	}
	return api.Security
}
