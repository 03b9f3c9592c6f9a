// Package yamlwords says in plain words what is wrong with a text in YAML, and with the types of its
// values. The libraries that read YAML name states of their parsers and types of Go.
package yamlwords

import (
	"regexp"
	"strings"
)

// Plain returns an error of such a library in plain words, and any other as it is.
func Plain(err error) error {
	if err == nil {
		return nil
	}
	text := mistyped.ReplaceAllStringFunc(err.Error(), wrongType)
	for _, phrase := range phrases {
		text = phrase.theirs.ReplaceAllString(text, phrase.plain)
	}
	if text == err.Error() {
		return err
	}
	return plain{text, err}
}

// plain is an error in other words.
type plain struct {
	text string
	error
}

func (p plain) Error() string { return p.text }
func (p plain) Unwrap() error { return p.error }

// phrases are what the libraries say. The last of them are what they say it is about.
var phrases = []struct {
	theirs *regexp.Regexp
	plain  string
}{
	{
		regexp.MustCompile(`found character that cannot start any token`),
		"a tab, or a text that begins with @, % or a backquote: indent by blanks, and put such a text in quotes",
	},
	{regexp.MustCompile(`found a tab character (that violates|where an) indentation.*`), "a tab: indent by blanks"},
	{
		regexp.MustCompile(`did not find expected (key|<document start>)`),
		"this does not belong here: look for a quote or a bracket that is not closed, and at the indentation",
	},
	{
		regexp.MustCompile(`did not find expected node content`),
		"a value is missing: look for a bracket that is not closed",
	},
	{regexp.MustCompile(`did not find expected ',' or '(.)'`), "a comma or the closing $1 is missing"},
	{
		regexp.MustCompile(`mapping values are not allowed in this context`),
		"a colon does not belong here: put a text that has one in quotes, and look at the indentation",
	},
	{
		regexp.MustCompile(`did not find expected '-' indicator|block sequence entries are not allowed in this .*`),
		"an item of a list does not belong here: look at the indentation",
	},
	{regexp.MustCompile(`could not find expected ':'`), "a name has no colon behind it"},
	{regexp.MustCompile(`found unexpected end of stream`), "a quote is not closed"},
	{regexp.MustCompile(`unknown anchor '(.*?)' referenced`), "there is no &$1 that *$1 refers to"},
	{regexp.MustCompile(`anchor ['"](.*?)['"] value contains itself`), "the value of &$1 contains itself"},
	{
		regexp.MustCompile(`mapping key "(.*?)" already defined at line (\d+)`),
		`"$1" is there a second time, after line $2`,
	},
	{regexp.MustCompile(`(field \S+ not found) in type .*`), "$1"},
	{regexp.MustCompile(`failed to unmarshal data: (?:(?s:json error: .*), )?(?:yaml error: )?`), ""},
	{regexp.MustCompile(`(^|: )yaml: (?:(?:construct|unmarshal) errors:\s*)?`), "$1"},
	{regexp.MustCompile(`\n\s*`), "; "},
}

// mistyped matches a value of a type that does not belong there.
var mistyped = regexp.MustCompile(
	"(?s)cannot (?:construct|unmarshal) !!(\\w+)(?: `.*?`)? into (\\S+?)(?: in (\\S+)| field \"(\\w+)\")?($|\n|; )")

// wrongType says which type a value has, and which it must have.
func wrongType(theirs string) string {
	m := mistyped.FindStringSubmatch(theirs)
	place := m[3] + m[4]
	if place == "" {
		place = "a value"
	}
	return place + " is " + name(types, m[1], "of another type") + ": must be " + wanted(m[2]) + m[5]
}

// types are the types of YAML.
var types = map[string]string{
	"map": "an object", "seq": "a list", "str": "a text", "int": "a number", "float": "a number",
	"bool": "true or false", "null": "empty",
}

// wanted says what a type of Go is in YAML.
func wanted(goType string) string {
	_, last, _ := strings.Cut(goType, ".")
	switch {
	case strings.HasPrefix(goType, "[]"), lists[last]:
		return "a list"
	case strings.HasPrefix(goType, "map["), last != "":
		return "an object"
	case strings.HasPrefix(goType, "uint"), strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "float"):
		return "a number"
	}
	return name(map[string]string{"bool": "true or false", "string": "a text"}, goType, "of another type")
}

// lists are the types of kin-openapi that are lists.
var lists = map[string]bool{
	"Parameters": true, "SchemaRefs": true, "SecurityRequirements": true, "Servers": true, "Tags": true,
}

func name(names map[string]string, of, otherwise string) string {
	if known := names[of]; known != "" {
		return known
	}
	return otherwise
}
