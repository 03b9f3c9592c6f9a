package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/glob"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Invalid is an error that lists what is wrong with faults, and where.
type Invalid []nodeapi.Violation

func (i Invalid) Error() string {
	lines := make([]string, len(i))
	for n, violation := range i {
		lines[n] = strings.TrimPrefix(violation.Pointer+": "+violation.Detail, ": ")
	}
	return strings.Join(lines, "\n")
}

func (i Invalid) orNil() error {
	if len(i) == 0 {
		return nil
	}
	return i
}

func (i *Invalid) add(pointer, format string, args ...any) {
	*i = append(*i, nodeapi.Violation{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// Check returns everything that is wrong with a fault, as an Invalid with pointers into
// the definition.
func Check(name string, definition control.FaultDefinition) error {
	var wrong Invalid
	wrong.inSchema("", "FaultName", name)
	wrong.inSchema("", "FaultDefinition", definition)
	wrong.contradictions("", definition)
	return wrong.orNil()
}

// checkAll returns everything that is wrong with faults, with pointers into a file of them. The
// limit is that of all faults, presets included, and not that of a file.
func checkAll(faults map[string]control.FaultDefinition) error {
	var wrong Invalid
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		wrong.inSchema("/faults/"+jsonpointer.Token(name), "FaultDefinition", faults[name])
	}
	wrong.beyond(faults)
	all := Presets()
	maps.Copy(all, faults)
	if most := schemas().most; len(all) > most {
		wrong.add("/faults", "there would be %d faults with the presets, and may be %d", len(all), most)
	}
	return wrong.orNil()
}

// beyond adds what the schema of a file does not say of its faults.
func (i *Invalid) beyond(faults map[string]control.FaultDefinition) {
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		at := "/faults/" + jsonpointer.Token(name)
		i.inSchema(at, "FaultName", name)
		i.contradictions(at, faults[name])
	}
}

// inSchema adds how a value at a place breaks a schema.
func (i *Invalid) inSchema(at, schema string, value any) {
	for _, violation := range spec.Control().Check(schema, value) {
		i.add(at+violation.Pointer, "%s", violation.Detail)
	}
}

// contradictions adds what the schema allows but makes no sense.
func (i *Invalid) contradictions(at string, d control.FaultDefinition) {
	for n, rule := range d.Rules {
		at := fmt.Sprintf("%s/rules/%d", at, n)
		if rule.Match != nil {
			i.inMatch(at+"/match", *rule.Match)
		}
		i.inEffect(at+"/effect", rule)
	}
}

func (i *Invalid) inMatch(at string, m control.FaultMatch) {
	if first := optional.Or(m.FirstCall, 1); optional.Or(m.LastCall, first) < first {
		i.add(at+"/last_call", "must be %d or more, which is the first, not %d", first, *m.LastCall)
	}
	if m.Node != nil && !concernsNodes(&m) {
		i.add(at+"/node", "fits nothing here: %s concerns no node", control.OperationListNodes)
	}
	if m.Node != nil {
		if err := glob.Check(*m.Node); err != nil {
			i.add(at+"/node", "%v", err)
		}
	}
}

func (i *Invalid) inEffect(at string, rule control.FaultRule) {
	e := rule.Effect
	if least := optional.Or(e.LatencyMs, 0); optional.Or(e.LatencyMaxMs, least) < least {
		i.add(at+"/latency_max_ms", "must be %d or more, which is the least, not %d", least, *e.LatencyMaxMs)
	}
	if e.Connection != nil {
		i.withConnection(at, e)
	}
	if e.Text != nil && e.Status == nil {
		i.add(at+"/text", "needs a status to go with")
	}
	rejects := optional.Or(e.Reject, false)
	if rejects && e.Status != nil {
		i.add(at+"/reject", "cannot go with a status: a rejection is answered 200")
	}
	if rejects && !registers(rule.Match) {
		i.add(at+"/reject", "does nothing here: only %s can be rejected", control.OperationRegisterNode)
	}
	if e.Detail != nil && answers(e) {
		i.withDetail(at+"/detail", e)
	}
	i.withOffline(at+"/offline", rule)
	if e.TrickleMs != nil && (e.Body == nil || *e.Body != control.FaultEffectBodyTrickle) {
		i.add(at+"/trickle_ms", "needs a body that is %q", control.FaultEffectBodyTrickle)
	}
}

// withConnection adds what of an effect cannot go with what happens to its connection.
func (i *Invalid) withConnection(at string, e control.FaultEffect) {
	switch {
	case !answers(e):
		i.withoutAnswer(at, e)
	case *e.Connection == control.FaultEffectConnectionCloseIdle:
		if e.Body != nil && (*e.Body == control.FaultEffectBodyTruncated || *e.Body == control.FaultEffectBodyTrickle) {
			i.add(at+"/body", "cannot go with %s: the answer is sent whole", *e.Connection)
		}
	}
}

// answers reports whether a request gets an answer, whatever becomes of its connection after that.
func answers(e control.FaultEffect) bool {
	switch optional.Or(e.Connection, control.FaultEffectConnectionGoaway) {
	case control.FaultEffectConnectionGoaway, control.FaultEffectConnectionCloseIdle:
		return true
	}
	return false
}

// withDetail adds why no answer says the detail.
func (i *Invalid) withDetail(at string, e control.FaultEffect) {
	body := optional.Or(e.Body, "")
	switch {
	case e.Text != nil:
		i.add(at, "cannot go with a text: there is no problem that could say it")
	case e.Status == nil && !optional.Or(e.Reject, false):
		i.add(at, "needs a status or a rejection to go with")
	case body == control.FaultEffectBodyEmpty || body == control.FaultEffectBodyGarbage:
		i.add(at, "cannot go with a body that is %q: that has no room for it", body)
	}
}

// withOffline adds why no node is marked Offline.
func (i *Invalid) withOffline(at string, rule control.FaultRule) {
	switch e := rule.Effect; {
	case e.Offline == nil:
	case optional.Or(e.Restart, false):
		i.add(at, "cannot go with a restart, after which there are no nodes")
	case *e.Offline == control.FaultEffectOfflineNode && !concernsNodes(rule.Match):
		i.add(at, "does nothing here: %s concerns no node", control.OperationListNodes)
	}
}

// withoutAnswer adds what of an effect changes an answer that is never given.
func (i *Invalid) withoutAnswer(at string, e control.FaultEffect) {
	for _, part := range []struct {
		name   string
		stated bool
	}{
		{"status", e.Status != nil},
		{"detail", e.Detail != nil},
		{"text", e.Text != nil},
		{"retry_after_s", e.RetryAfterS != nil},
		{"reject", optional.Or(e.Reject, false)},
		{"body", e.Body != nil},
		{"content_type", e.ContentType != nil},
	} {
		if part.stated {
			i.add(at+"/"+part.name, "cannot go with a connection that gives no answer (%s)", *e.Connection)
		}
	}
}

// concernsNodes reports whether a rule fits requests that are about a node.
func concernsNodes(m *control.FaultMatch) bool {
	return m == nil || m.Operations == nil || slices.ContainsFunc(*m.Operations,
		func(o control.Operation) bool { return o != control.OperationListNodes })
}

// registers reports whether a rule fits registrations.
func registers(m *control.FaultMatch) bool {
	return m == nil || m.Operations == nil || slices.Contains(*m.Operations, control.OperationRegisterNode)
}

// ownRegistry adds the effects that only an orchestratord can have on its own registry.
func (i *Invalid) ownRegistry(at string, d control.FaultDefinition) {
	for n, rule := range d.Rules {
		if name := onRegistry(rule.Effect); name != "" {
			i.add(fmt.Sprintf("%s/rules/%d/effect/%s", at, n, name),
				"cannot be done from here: the mock stands in front of another orchestratord")
		}
	}
}

// onRegistry names the effect on the registry, "" for none.
func onRegistry(e control.FaultEffect) string {
	switch {
	case optional.Or(e.Restart, false):
		return "restart"
	case e.Offline != nil:
		return "offline"
	}
	return ""
}

func changesRegistry(d control.FaultDefinition) bool {
	return slices.ContainsFunc(d.Rules, func(rule control.FaultRule) bool { return onRegistry(rule.Effect) != "" })
}
