//go:build pact

package provider

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"strings"
)

// named begins the ids of the nodes that a pact may name.
const named = "pact-node-"

// ids are the ids of the nodes that one run of a verification may touch. They begin
// with named and a random part, so that two runs at one orchestratord do not meet.
type ids struct {
	prefix string
	form   *regexp.Regexp
}

func newIDs() ids {
	prefix := named + strings.ToLower(rand.Text()[:12]) + "-"
	return ids{prefix: prefix, form: regexp.MustCompile("^" + prefix + "[A-Za-z0-9._:-]{1,64}$")}
}

// inject puts the run's own ids in the place of those that a pact names.
func (i ids) inject(pact []byte) []byte {
	return bytes.ReplaceAll(pact, []byte(named), []byte(i.prefix))
}

// restore returns a text of an injected pact as the pact itself has it.
func (i ids) restore(text string) string {
	return strings.ReplaceAll(text, i.prefix, named)
}

func (i ids) own(id string) bool { return i.form.MatchString(id) }
