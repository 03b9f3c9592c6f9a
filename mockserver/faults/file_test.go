package faults_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestWrongRules has one rule wrong in a file, and in a definition.
func TestWrongRules(t *testing.T) {
	for _, test := range []struct {
		rule string
		want []nodeapi.Violation // with pointers into the rule
	}{
		{"{effect: {}}", []nodeapi.Violation{{Pointer: "/effect", Detail: "there must be at least 1 properties"}}},
		{
			"{effect: {status: 200}}",
			[]nodeapi.Violation{{Pointer: "/effect/status", Detail: "must be 400 or more, not 200"}},
		},
		{
			"{effect: {latency_ms: 600001}}",
			[]nodeapi.Violation{{Pointer: "/effect/latency_ms", Detail: "must be 600000 or less, not 600001"}},
		},
		{"{match: {first_call: 3, last_call: 2}, effect: {status: 500}}", []nodeapi.Violation{
			{Pointer: "/match/last_call", Detail: "must be 3 or more, which is the first, not 2"},
		}},
		{"{match: {node: 'gpu-[1'}, effect: {status: 500}}", []nodeapi.Violation{
			{
				Pointer: "/match/node",
				Detail: `"gpu-[1" is no pattern of node ids: a [ needs its ] and something in between, and a \ ` +
					`something after it`,
			},
		}},
		{"{effect: {latency_ms: 2, latency_max_ms: 1}}", []nodeapi.Violation{
			{Pointer: "/effect/latency_max_ms", Detail: "must be 2 or more, which is the least, not 1"},
		}},
		{"{effect: {reject: true, status: 503}}", []nodeapi.Violation{
			{Pointer: "/effect/reject", Detail: "cannot go with a status: a rejection is answered 200"},
		}},
		{"{match: {operations: [listNodes]}, effect: {reject: true}}", []nodeapi.Violation{
			{Pointer: "/effect/reject", Detail: "does nothing here: only registerNode can be rejected"},
		}},
		{"{effect: {reject: false, detail: why}}", []nodeapi.Violation{
			{Pointer: "/effect/detail", Detail: "needs a status or a rejection to go with"},
		}},
		{"{effect: {latency_ms: 1, detail: why}}", []nodeapi.Violation{
			{Pointer: "/effect/detail", Detail: "needs a status or a rejection to go with"},
		}},
		{"{effect: {connection: goaway, detail: why}}", []nodeapi.Violation{
			{Pointer: "/effect/detail", Detail: "needs a status or a rejection to go with"},
		}},
		{"{effect: {connection: close_idle, detail: why}}", []nodeapi.Violation{
			{Pointer: "/effect/detail", Detail: "needs a status or a rejection to go with"},
		}},
		{"{effect: {status: 503, detail: why, body: garbage}}", []nodeapi.Violation{
			{Pointer: "/effect/detail", Detail: `cannot go with a body that is "garbage": that has no room for it`},
		}},
		{"{effect: {restart: true, offline: all}}", []nodeapi.Violation{
			{Pointer: "/effect/offline", Detail: "cannot go with a restart, after which there are no nodes"},
		}},
		{"{match: {operations: [listNodes], node: '*'}, effect: {offline: node}}", []nodeapi.Violation{
			{Pointer: "/match/node", Detail: "fits nothing here: listNodes concerns no node"},
			{Pointer: "/effect/offline", Detail: "does nothing here: listNodes concerns no node"},
		}},
		{"{effect: {trickle_ms: 1}}", []nodeapi.Violation{
			{Pointer: "/effect/trickle_ms", Detail: `needs a body that is "trickle"`},
		}},
		{
			"{effect: {connection: hang, status: 503, detail: why, retry_after_s: 1, reject: true, body: empty, " +
				"content_type: text/html}}",
			[]nodeapi.Violation{
				{Pointer: "/effect/status", Detail: "cannot go with a connection that gives no answer (hang)"},
				{Pointer: "/effect/detail", Detail: "cannot go with a connection that gives no answer (hang)"},
				{Pointer: "/effect/retry_after_s", Detail: "cannot go with a connection that gives no answer (hang)"},
				{Pointer: "/effect/reject", Detail: "cannot go with a connection that gives no answer (hang)"},
				{Pointer: "/effect/body", Detail: "cannot go with a connection that gives no answer (hang)"},
				{Pointer: "/effect/content_type", Detail: "cannot go with a connection that gives no answer (hang)"},
				{Pointer: "/effect/reject", Detail: "cannot go with a status: a rejection is answered 200"},
			},
		},
		{"{effect: {connection: reset_after, status: 404, text: gone}}", []nodeapi.Violation{
			{Pointer: "/effect/status", Detail: "cannot go with a connection that gives no answer (reset_after)"},
			{Pointer: "/effect/text", Detail: "cannot go with a connection that gives no answer (reset_after)"},
		}},
		{"{effect: {connection: close_idle, body: trickle}}", []nodeapi.Violation{
			{Pointer: "/effect/body", Detail: "cannot go with close_idle: the answer is sent whole"},
		}},
		{"{effect: {connection: close_idle, body: truncated}}", []nodeapi.Violation{
			{Pointer: "/effect/body", Detail: "cannot go with close_idle: the answer is sent whole"},
		}},
		{"{effect: {body: truncated, trickle_ms: 1}}", []nodeapi.Violation{
			{Pointer: "/effect/trickle_ms", Detail: `needs a body that is "trickle"`},
		}},
		{"{effect: {text: gone}}", []nodeapi.Violation{{Pointer: "/effect/text", Detail: "needs a status to go with"}}},
		{"{effect: {status: 404, text: gone, detail: why}}", []nodeapi.Violation{
			{Pointer: "/effect/detail", Detail: "cannot go with a text: there is no problem that could say it"},
		}},
		{"{match: {last_call: 0, every: 0}, effect: {status: 600}}", []nodeapi.Violation{
			{Pointer: "/effect/status", Detail: "must be 599 or less, not 600"},
			{Pointer: "/match/every", Detail: "must be 1 or more, not 0"},
			{Pointer: "/match/last_call", Detail: "must be 1 or more, not 0"},
			{Pointer: "/match/last_call", Detail: "must be 1 or more, which is the first, not 0"},
		}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			_, err := faults.Parse([]byte("faults: {it: {rules: [" + test.rule + "]}}"))
			compare(t, "/faults/it/rules/0", test.want, err)

			var definition control.FaultDefinition
			value := decoded(t, "{rules: ["+test.rule+"]}")
			if err := json.Unmarshal(value, &definition); err != nil {
				t.Fatal(err)
			}
			set := faults.New(paused())
			before := set.List()
			_, err = set.Put("it", definition)
			compare(t, "/rules/0", test.want, err)
			err = set.Load(map[string]control.FaultDefinition{"it": definition})
			compare(t, "/faults/it/rules/0", test.want, err)
			err = set.Replace(map[string]control.FaultDefinition{"it": definition})
			compare(t, "/faults/it/rules/0", test.want, err)
			if diff := cmp.Diff(before, set.List()); diff != "" {
				t.Errorf("a refused fault changes something: %s", diff)
			}
		})
	}
}

// TestRightRules has rules that come near to being wrong.
func TestRightRules(t *testing.T) {
	for _, rule := range []string{
		"{match: {first_call: 2, last_call: 2}, effect: {status: 500}}",
		"{match: {node: 'gpu-[1]'}, effect: {reject: true}}",
		"{match: {operations: [listNodes, registerNode]}, effect: {reject: true, detail: why}}",
		"{effect: {latency_ms: 2, latency_max_ms: 2}}",
		"{effect: {latency_max_ms: 0}}",
		"{effect: {status: 404, text: gone}}",
		"{effect: {status: 404, detail: why}}",
		"{effect: {body: trickle, trickle_ms: 1}}",
		"{effect: {connection: hang, latency_ms: 1, reject: false}}",
		"{effect: {connection: close_idle, body: empty}}",
		"{effect: {connection: goaway, body: truncated, status: 503, detail: why}}",
	} {
		definition := parse(t, rule)["it"]
		if err := faults.Check("it", definition); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestWrongName(t *testing.T) {
	definition := parse(t, "{effect: {status: 500}}")["it"]
	if err := faults.Check("Über", definition); err == nil || !strings.HasPrefix(err.Error(), "must match ") {
		t.Errorf("error %v", err)
	}
}

func TestWrongFiles(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "must be of type object, not null"},
		{"no faults", "{}", `/faults: property "faults" is missing`},
		{"a list", "[]", "must be of type object, not array"},
		{"not YAML", "a: [", "line 1: a value is missing: look for a bracket that is not closed"},
		{"two documents", "faults: {}\n---\nfaults: {}", "there must be one document, and nothing after it"},
		{"not UTF-8", "faults: {\xff: }", "the text is not UTF-8"},
		{
			"a name twice", "faults: {a: {rules: [{effect: {status: 500}}]}, a: {}}",
			`line 1: "a" is there a second time, after line 1`,
		},
		{"a bad name", "faults: {Über: {rules: [{effect: {status: 500}}]}}", "/faults/Über: must match"},
		{"a slash", "faults: {a/b: {rules: [{effect: {status: 500}}]}}", "/faults/a~1b: must match"},
		{
			"an unknown field", "faults: {a: {rules: [{effects: {status: 500}}]}}",
			`/faults/a/rules/0/effects: is no field here, perhaps "effect" is meant`,
		},
		{
			"a text for a number", "faults: {a: {rules: [{effect: {status: '500'}}]}}",
			`/faults/a/rules/0/effect/status: must be of type integer, not "500"`,
		},
		{
			"half a call", "faults: {a: {rules: [{match: {every: 1.5}, effect: {status: 500}}]}}",
			"/faults/a/rules/0/match/every: must be of type integer",
		},
		{
			"NaN", "faults: {a: {rules: [{match: {probability: .nan}, effect: {status: 500}}]}}",
			"unsupported value: NaN",
		},
		{"itself", "faults: &it {a: *it}", "the value of &it contains itself"},
	} {
		t.Run(test.name, func(t *testing.T) {
			parsed, err := faults.Parse([]byte(test.text))
			if err == nil || parsed != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v; want an error with %q", parsed, err, test.want)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "faults.yaml")
	if _, err := faults.ReadFile(t.Context(), name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, text := range []string{
		"faults:\n  1: &one\n    rules: [{match: {every: 2.0}, effect: {status: 5e2}}]\n  true: {<<: *one}\n",
		`{"faults": {"1": {"rules": [{"match": {"every": 2}, "effect": {"status": 500}}]},` + "\n\t" +
			`"true": {"rules": [{"match": {"every": 2}, "effect": {"status": 500, "detail": "\ud83d\ude00"}}]}}}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := faults.ReadFile(t.Context(), name)
		if err != nil || len(read) != 2 || *read["1"].Rules[0].Effect.Status != 500 ||
			*read["true"].Rules[0].Match.Every != 2 {
			t.Errorf("%s: read %+v, %v", text, read, err)
		}
	}
	if err := os.WriteFile(name, []byte("faults: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := faults.Invalid(nil)
	if _, err := faults.ReadFile(t.Context(), name); !errors.As(err, &wrong) || err.Error() != name+
		": /faults: must be of type object, not 1" {
		t.Errorf("a broken file: %v", err)
	}
}

// The example in the documentation is one.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	parsed, err := faults.Parse([]byte(example))
	if err != nil || len(parsed) == 0 {
		t.Errorf("the example: %v, %v", parsed, err)
	}
	for name, preset := range faults.Presets() {
		if !strings.Contains(text, "| `"+name+"` | "+*preset.Summary+" |") {
			t.Errorf("the page lacks the preset %s: %s", name, *preset.Summary)
		}
	}
}

// FuzzParse has whatever can be read be a set of faults that can be written and read
// again, and that decides.
func FuzzParse(f *testing.F) {
	presets, err := os.ReadFile("presets.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(presets)
	for _, text := range []string{
		"", "{}", "faults: {a: {rules: [{match: {node: '[a-'}, effect: {status: 500}}]}}",
		`{"faults": {"a": {"seed": 1e3, "rules": [{"effect": {"connection": "hang"}}]}}}`,
		"faults: {a: &a {rules: [&r {effect: {status: 500}}, *r]}, b: {<<: *a}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parsed, err := faults.Parse(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		written, err := json.Marshal(control.FaultFile{Faults: parsed})
		if err != nil {
			t.Fatal(err)
		}
		again, err := faults.Parse(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if diff := cmp.Diff(parsed, again); diff != "" {
			t.Error(diff)
		}
		set := faults.New(paused())
		if err := set.Load(parsed); err != nil {
			t.Fatal(err)
		}
		set.Decide(register, "gpu-node-1")
	})
}

// compare holds an error to violations whose pointers are relative to base.
func compare(t *testing.T, base string, want []nodeapi.Violation, err error) {
	t.Helper()
	var got faults.Invalid
	if !errors.As(err, &got) {
		t.Errorf("error %v", err)
		return
	}
	relative := make([]nodeapi.Violation, len(got))
	for n, violation := range got {
		rest, ok := strings.CutPrefix(violation.Pointer, base)
		if !ok {
			t.Errorf("pointer %q should begin with %q", violation.Pointer, base)
		}
		relative[n] = nodeapi.Violation{Pointer: rest, Detail: violation.Detail}
	}
	if diff := cmp.Diff(want, relative); diff != "" {
		t.Error(diff)
	}
}

// decoded returns YAML as JSON.
func decoded(t *testing.T, text string) []byte {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}
