package breaking

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/checker/localizations"
	"github.com/oasdiff/oasdiff/diff"
)

// rules are those of oasdiff. It makes them anew for each configuration, and changes none.
var rules = sync.OnceValue(func() *checker.Config { return checker.NewConfig(checker.GetAllChecks()) })

// oasdiffFindings returns what oasdiff finds.
func oasdiffFindings(from, to version) ([]finding, error) {
	difference, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), from.flat, to.flat)
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s: %w", from.flat.Url, to.flat.Url, err)
	}
	var findings []finding
	for _, change := range checker.CheckBackwardCompatibilityUntilLevel(rules(), difference, sources, checker.INFO) {
		f := finding{
			rule: change.GetId(), method: change.GetOperation(), path: change.GetPath(),
			what: change.GetUncolorizedText(english), why: change.GetComment(english), breaking: change.IsBreaking(),
		}
		if source := change.GetRevisionSource(); source != nil {
			f.where = place{source.File, source.Line}
		}
		f.locate(change.GetArgs())
		findings = append(findings, f)
	}
	return findings, nil
}

// sentences are what oasdiff says, in all its languages.
var sentences = localizations.New(localizations.LangDefault, localizations.LangDefault).Localizations

// english is checker.NewDefaultLocalizer without templates, which none of the sentences is: these call
// methods by name, for which the linker keeps those of all types.
func english(name string, args ...any) string {
	sentence, known := sentences[localizations.LangDefault+".messages."+name]
	if !known {
		return name
	}
	return fmt.Sprintf(sentence, args...)
}

var statusForm = regexp.MustCompile(`^([1-5](\d\d|XX)|default)$`)

// locate finds the part of the operation that a change is about. It reads the arguments of
// the message, because oasdiff reports the part in no other way.
func (f *finding) locate(args []any) {
	var texts []string
	for _, arg := range args {
		texts = append(texts, strings.Trim(fmt.Sprint(arg), "/"))
	}
	switch {
	case strings.Contains(f.rule, "request-parameter"):
		for i, text := range texts[:max(0, len(texts)-1)] {
			if slices.Contains([]string{"query", "header", "path", "cookie"}, text) {
				f.part = text + " " + texts[i+1]
				break
			}
		}
	case strings.Contains(f.rule, "response"):
		for _, text := range texts {
			if statusForm.MatchString(text) {
				f.part, f.status = "response "+text, text
			}
		}
	case strings.Contains(f.rule, "request"):
		f.part = "request"
	}
	for _, text := range texts {
		f.mentions = append(f.mentions, composition.ReplaceAllString(text, ""))
	}
}

// composition matches the steps of a path that lead to a part of the same value.
var composition = regexp.MustCompile(`(allOf|anyOf|oneOf)\[[^\]]*\]/?`)

// overrule corrects the findings of oasdiff with our comparison of the allowed values, and
// adds the findings that oasdiff has missed.
func (c *comparison) overrule(theirs []finding) []finding {
	var findings []finding
	for i := range theirs {
		f := &theirs[i]
		switch {
		case isAboutMediaTypes(f.rule) && !c.found(*f):
			// Our comparison handles ranges and equal media types; oasdiff does not.
			f.breaking = false
		case f.breaking && isAboutValues(f.rule) && c.isProven(*f):
			// oasdiff compares how schemas are written. If every value of one schema is a
			// value of the other, nothing breaks.
			f.breaking = false
		case f.rule == "request-property-removed" && c.isProven(*f) && c.isElsewhere(*f):
			f.breaking = false // the field moved into an alternative
		case f.rule == "response-success-status-removed" && c.has(*f):
			f.breaking = false // its range has it
		case isAboutSecurity(f.rule) && !c.refused[part{f.method, f.path, ""}]:
			// oasdiff compares the alternatives as they are written.
			f.breaking = false
		}
	}
	for _, ours := range c.findings {
		if i := slices.IndexFunc(theirs, ours.isSame); i >= 0 {
			theirs[i].breaking, theirs[i].compared = true, true
			theirs[i].where = ours.where // theirs is often the line of the operation
			theirs[i].what = cmp.Or(ours.instead, theirs[i].what)
			continue
		}
		ours.what = cmp.Or(ours.instead, ours.what)
		findings = append(findings, ours)
	}
	return append(theirs, findings...)
}

// isElsewhere reports whether the request still has a field in some part of its schema.
func (c *comparison) isElsewhere(f finding) bool {
	fields := c.requestFields[part{f.method, f.path, f.part}]
	return slices.ContainsFunc(f.mentions, func(name string) bool { return fields[name] })
}

// has reports whether the version met has the answer that a finding is about.
func (c *comparison) has(f finding) bool {
	_, has := c.proven[part{f.method, f.path, f.part}]
	return has
}

func (c *comparison) found(f finding) bool {
	return slices.ContainsFunc(c.findings, func(ours finding) bool {
		return ours.rule == f.rule && ours.method == f.method && ours.path == f.path
	})
}

func isAboutMediaTypes(rule string) bool {
	return strings.HasPrefix(rule, "request-body-media-type") || strings.HasPrefix(rule, "response-media-type")
}

// isAboutSecurity reports whether a rule of oasdiff is about the credentials that operations ask
// for, and not about what a scheme is.
func isAboutSecurity(rule string) bool {
	return (strings.HasPrefix(rule, "api-security") || strings.HasPrefix(rule, "api-global-security")) &&
		!strings.Contains(rule, "component")
}

// isAboutValues reports whether a rule of oasdiff is about which values a schema allows.
func isAboutValues(rule string) bool {
	for _, subject := range []string{
		"type", "enum", "pattern", "min", "max", "length", "one-of", "any-of", "all-of", "wrapped", "not",
		"nullable", "format", "unique", "multiple", "const", "additional", "prefix", "names", "dependent", "contain",
		"if-", "then", "else", "unevaluated", "discriminator",
	} {
		if strings.Contains(rule, subject) && !isAboutMediaTypes(rule) {
			return true
		}
	}
	return false
}

// isSame reports whether two findings are about the same thing.
func (f finding) isSame(theirs finding) bool {
	if f.method != theirs.method || f.path != theirs.path {
		return false
	}
	if f.rule == theirs.rule {
		return f.part == theirs.part || f.what == theirs.what
	}
	mentioned := slices.Contains(theirs.mentions, f.property)
	if f.property == "" {
		mentioned = strings.Contains(theirs.rule, "-body-") || strings.Contains(theirs.rule, "-parameter-")
	}
	// Some messages of oasdiff about answers do not mention the status.
	samePart := f.part == theirs.part || theirs.part == "" && f.status != "" &&
		strings.HasPrefix(theirs.rule, "response")
	return theirs.breaking && samePart && mentioned && isAboutFields(theirs.rule)
}

// isAboutFields reports whether a rule of oasdiff may describe the same change as a gap.
func isAboutFields(rule string) bool {
	says := func(what string) bool { return strings.Contains(rule, what) }
	return isAboutValues(rule) || says("required") || says("optional") || says("removed")
}
