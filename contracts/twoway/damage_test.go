package twoway_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/twoway"
	"github.com/llama-orch/node-registration/internal/strength"
)

// harmless are the damages that need not be found, by what their names match, and why.
var harmless = map[string]string{
	`: state renamed$|: states removed$`: "a verification finds it: no provider knows the state, or has it " +
		"without being asked",
	`request header Authorization removed$`: "the document makes the token optional",
	`request header Content-Type removed$`:  "Pact sends what the body says of itself",
	`: the interaction removed$`:            "a consumer may need less, and others exercise the status",
	`response (header|body).* removed$`:     "a consumer may read less",
	`request body\.(version|.*\.(vram_free_bytes|slots_total|draining|gpus|models_available|engine|` +
		`ram_total_bytes|cpu_cores)) (removed|is null)$`: "the document lets the field be left out, or be null",
	`request rules? .*(removed|equality)$|request rule path renamed$`: "a consumer may send one example alone",
	`request rule .*\.(ready|draining) boolean$`:                      "that is their type",
	`request rule header Authorization type$`: "how a token looks is for each scheme " +
		"to say",
	`response rule .*(_id|address|pools|capabilities) (removed|equality)$`: "the provider gives back what the " +
		"request had",
	`response rule .*(_id|message) any regex$`:            "any text is what the document says",
	`response rule header Retry-After any regex$`:         "any text is more than the document says",
	`response rule .* (type|integer)$|address any regex$`: "a consumer may be content with more",
}

// TestStrength damages the pact. One that comes from a broker is not compared with a file
// byte by byte: what has been damaged on the way shows in what it says.
func TestStrength(t *testing.T) {
	in := committed(t)
	original, err := os.ReadFile("../pacts/pool-managerd-orchestratord.json")
	if err != nil {
		t.Fatal(err)
	}
	reasonFor, tally := reasons(), strength.Of("the pact, by `nodecontract check`")
	for _, damage := range damagesOf(t, original) {
		pact, err := pactfile.Parse(damage.text)
		if err == nil {
			in.Pact = pact
		}
		switch reason := reasonFor(damage.name); {
		case err != nil || len(twoway.Check(in).Findings) > 0:
			tally.Found()
		case reason != "":
			tally.Tolerated(reason)
		default:
			tally.Missed(damage.name)
		}
	}
	tally.Require(t, slices.Collect(maps.Values(harmless))...)
}

// reasons returns a function that says why a damage need not be found, or "".
func reasons() func(name string) string {
	byPattern := map[*regexp.Regexp]string{}
	for pattern, reason := range harmless {
		byPattern[regexp.MustCompile(pattern)] = reason
	}
	return func(name string) string {
		for pattern, reason := range byPattern {
			if pattern.MatchString(name) {
				return reason
			}
		}
		return ""
	}
}

// committed returns what the committed pact is checked with; it agrees.
func committed(t *testing.T) twoway.Input {
	t.Helper()
	var in twoway.Input
	var err error
	if in.Document, err = twoway.Load(t.Context(), "../../openapi/nodes.yaml"); err != nil {
		t.Fatal(err)
	}
	if in.Exemptions, err = twoway.LoadExemptions("../exempt.yaml"); err != nil {
		t.Fatal(err)
	}
	if in.Pact, err = pactfile.Read("../pacts/pool-managerd-orchestratord.json"); err != nil {
		t.Fatal(err)
	}
	if findings := twoway.Check(in).Findings; len(findings) > 0 {
		t.Fatalf("the committed pact is damaged already: %v", findings)
	}
	return in
}

// damage is the pact with one thing changed.
type damage struct {
	name string
	text []byte
}

// damagesOf returns the pact once for each value in it and each thing that can become
// of it, or a sample of that.
func damagesOf(t *testing.T, original []byte) []damage {
	t.Helper()
	var pact object
	if err := json.Unmarshal(original, &pact); err != nil {
		t.Fatal(err)
	}
	d := damager{t: t, root: pact}
	interactions := pact["interactions"].(list)
	seen := map[string]bool{}
	for i, each := range interactions {
		interaction := each.(object)
		kind := kindOf(interaction)
		if seen[kind] {
			continue // one of each kind is enough
		}
		seen[kind] = true
		d.within = interaction["description"].(string)
		d.set("the interaction removed", pact, "interactions", slices.Delete(slices.Clone(interactions), i, i+1))
		d.set("the interaction twice", pact, "interactions", append(slices.Clone(interactions), each))
		d.set("type", interaction, "type", "Asynchronous/Messages")
		d.set("description emptied", interaction, "description", "")
		d.states(interaction)
		d.request(interaction["request"].(object))
		d.response(interaction["response"].(object))
	}
	return d.made
}

// kindOf returns the method, the number of segments and the status of an interaction, and
// whether its request is that of any node.
func kindOf(interaction object) string {
	request := interaction["request"].(object)
	segments := strings.Count(request["path"].(string), "/")
	isOfAny := strings.HasSuffix(interaction["description"].(string), "any node")
	return fmt.Sprint(request["method"], segments, interaction["response"].(object)["status"], isOfAny)
}

type damager struct {
	t      *testing.T
	root   object
	within string
	count  int // of damages, those included that are not in the sample
	made   []damage
}

// set makes a damage if it is in the sample: a field of an object with another value, or without one.
func (d *damager) set(name string, at object, field string, value any) {
	old, present := at[field]
	if at[field] = value; value == removed {
		delete(at, field)
	}
	if strength.Tries(d.count, 48) {
		d.made = append(d.made, damage{d.within + ": " + name, marshal(d.t, d.root)})
	}
	d.count++
	if delete(at, field); present {
		at[field] = old
	}
}

type nothing struct{}

var removed = nothing{}

// rename makes a damage: a field under another name.
func (d *damager) rename(name string, at object, field string) {
	value := at[field]
	delete(at, field)
	d.set(name+" renamed", at, field+"x", value)
	at[field] = value
}

func (d *damager) states(interaction object) {
	states, _ := interaction["providerStates"].(list)
	for _, each := range states {
		state := each.(object)
		d.set("state renamed", state, "name", state["name"].(string)+"x")
		params, _ := state["params"].(object)
		for name := range maps.Clone(params) {
			d.set("parameter "+name+" of the state removed", params, name, removed)
			d.rename("parameter "+name+" of the state", params, name)
			d.set("parameter "+name+" of the state changed", params, name, "another")
		}
	}
	if len(states) > 0 {
		d.set("states removed", interaction, "providerStates", removed)
	}
}

func (d *damager) request(request object) {
	for _, method := range []string{"GET", "PUT", "POST", "DELETE", "PATCH"} {
		if method != request["method"] {
			d.set("method "+method, request, "method", method)
		}
	}
	path := request["path"].(string)
	for name, other := range map[string]string{
		"version": strings.Replace(path, "v2", "v3", 1), "collection": strings.Replace(path, "nodes", "node", 1),
		"longer": path + "/more", "slash": path + "/", "node": strings.Replace(path, "pact-node-1", "another-node", 1),
		"no id":  strings.Replace(path, "pact-node-1", "-", 1),
		"action": strings.Replace(path, "heartbeat", "heartbeats", 1),
	} {
		if other != path {
			d.set("path "+name, request, "path", other)
		}
	}
	d.set("query added", request, "query", object{"q": list{"x"}})
	d.message("request", request)
}

func (d *damager) response(response object) {
	for _, status := range []int{200, 201, 202, 204, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503} {
		if float64(status) != response["status"] {
			d.set(fmt.Sprint("status ", status), response, "status", status)
		}
	}
	d.set("status removed", response, "status", removed)
	d.message("response", response)
}

// message damages what requests and answers have.
func (d *damager) message(kind string, message object) {
	headers, _ := message["headers"].(object)
	for name := range maps.Clone(headers) {
		d.set(kind+" header "+name+" removed", headers, name, removed)
		d.rename(kind+" header "+name, headers, name)
		d.set(kind+" header "+name+" changed", headers, name, list{"changed"})
	}
	if body, _ := message["body"].(object); body != nil {
		d.set(kind+" body removed", message, "body", removed)
		d.set(kind+" body encoded", body, "encoded", "base64")
		d.value(kind+" body", body, "content")
	}
	if rules, _ := message["matchingRules"].(object); rules != nil {
		d.set(kind+" rules removed", message, "matchingRules", removed)
		for category, sets := range rules {
			if category == "path" { // which has one rule, without a name
				d.rule(kind+" rule", rules, category)
				continue
			}
			d.rules(kind+" rule "+category, sets.(object))
		}
	}
}

// value damages a value, and those inside it.
func (d *damager) value(name string, at object, field string) {
	for kind, other := range map[string]any{
		"text": "a text", "number": -1.5, "object": object{"x": 1}, "list": list{1}, "null": nil,
	} {
		if fmt.Sprintf("%T", other) != fmt.Sprintf("%T", at[field]) {
			d.set(name+" is "+kind, at, field, other)
		}
	}
	inner, _ := at[field].(object)
	if items, isList := at[field].(list); isList && len(items) > 0 {
		inner, _ = items[0].(object)
		name += "[0]"
	}
	for _, field := range slices.Sorted(maps.Keys(inner)) {
		d.set(name+"."+field+" removed", inner, field, removed)
		d.rename(name+"."+field, inner, field)
		d.value(name+"."+field, inner, field)
	}
}

var otherMatchers = map[string]object{
	"boolean":      {"match": "boolean"},
	"null":         {"match": "null"},
	"decimal":      {"match": "decimal"},
	"date":         {"match": "date", "format": "yyyy-MM-dd"},
	"nonsense":     {"match": "nonsense"},
	"equality":     {"match": "equality"},
	"any regex":    {"match": "regex", "regex": ".*"},
	"narrow regex": {"match": "regex", "regex": "[x-z]{3}"},
	"integer":      {"match": "integer"},
	"type":         {"match": "type"},
}

// rules damages the rules of a category.
func (d *damager) rules(name string, sets object) {
	for _, path := range slices.Sorted(maps.Keys(sets)) {
		d.rule(name, sets, path)
	}
}

func (d *damager) rule(name string, sets object, path string) {
	name += " " + path
	set := sets[path].(object)
	d.set(name+" removed", sets, path, removed)
	d.rename(name, sets, path)
	matcher := set["matchers"].(list)[0].(object)
	for kind, other := range otherMatchers {
		if other["match"] != matcher["match"] || other["regex"] != nil {
			d.set(name+" "+kind, set, "matchers", list{other})
		}
	}
	variants, _ := matcher["variants"].(list)
	for _, variant := range variants {
		d.set(name+" variant of nothing", variant.(object), "index", 7)
		d.rules(name+" variant", variant.(object)["rules"].(object))
	}
}
