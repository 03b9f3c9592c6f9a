package breaking

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
