package mockserver_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/openapi"
)

// ownDocuments describe the API of nodes as others may write it down: nothing that they leave out or
// name in their own way crosses the wire.
var ownDocuments = map[string]func(t *testing.T, document string) string{
	"as it is": func(_ *testing.T, document string) string { return document },
	"other ids": func(_ *testing.T, document string) string {
		return strings.ReplaceAll(document, "operationId: ", "operationId: own_")
	},
	"another one's ids": func(_ *testing.T, document string) string {
		return strings.NewReplacer("operationId: listNodes", "operationId: registerNode",
			"operationId: registerNode", "operationId: listNodes").Replace(document)
	},
	"no ids": func(_ *testing.T, document string) string {
		return regexp.MustCompile(`(?m)^ *operationId: .*\n`).ReplaceAllString(document, "")
	},
	"another parameter": func(_ *testing.T, document string) string {
		return strings.NewReplacer("/{id}", "/{node}", "name: id\n", "name: node\n").Replace(document)
	},
	"JSON": func(t *testing.T, document string) string {
		return rewritten(t, document, func(map[string]any) {})
	},
	"no prose": func(t *testing.T, document string) string {
		return rewritten(t, document, func(part map[string]any) {
			for _, name := range []string{"description", "summary", "example"} {
				if _, prose := part[name].(map[string]any); !prose || name == "example" { // but a field of that name
					delete(part, name)
				}
			}
		})
	},
	"other names of components": func(t *testing.T, document string) string {
		named := regexp.MustCompile(`"(#/components/\w+/)`).ReplaceAllString(document, `"${1}Own`)
		return rewritten(t, named, func(part map[string]any) {
			components, _ := part["components"].(map[string]any)
			for kind, members := range components {
				members, _ := members.(map[string]any)
				own := map[string]any{}
				for name, member := range members {
					own["Own"+name] = member
				}
				if kind != "securitySchemes" {
					components[kind] = own
				}
			}
		})
	},
}

// rewritten returns a document as JSON, with each of its parts changed.
func rewritten(t *testing.T, document string, change func(part map[string]any)) string {
	t.Helper()
	var root map[string]any
	if err := yaml.Unmarshal([]byte(document), &root); err != nil {
		t.Fatal(err)
	}
	var walk func(part any)
	walk = func(part any) {
		switch part := part.(type) {
		case map[string]any:
			change(part)
			for _, member := range part {
				walk(member)
			}
		case []any:
			for _, member := range part {
				walk(member)
			}
		}
	}
	walk(root)
	text, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOwnDocuments_heavy holds the same traffic to documents that say the same. All see the same drift, the
// nodes are known, and the control API can state what it has seen.
func TestOwnDocuments_heavy(t *testing.T) {
	race.Skip(t)
	t.Parallel()
	sees := func(t *testing.T, document string) (seen []string) {
		orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService),
			mockserver.WithTokens("s3cret"), mockserver.WithBodyLimit(4000), mockserver.WithLogger(nil))
		front := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithUpstream(mockserver.Upstream{
			URL: orchestratord.URL, Document: []byte(document),
		}))
		callInAllWays(t, front, orchestratord)
		setProfile(t, orchestratord, true)
		for _, call := range [][2]string{
			{"POST /v2/nodes/register", rustRegistration},
			{"POST /v2/nodes/register", strings.ReplaceAll(rustRegistration, "-", " ")},
			{"POST /v2/nodes/gpu-node-1/heartbeat", strings.Replace(rustHeartbeat, "2026", "now", 1)},
		} {
			callWith(t, front, call[0], call[1], "Authorization: Bearer s3cret")
		}
		client := newClient(t, front.URL, front.Client().Transport)
		for _, page := range []string{"", "/nodes", "/journal", "/journal.har", "/drift"} {
			client.do("GET", "/__mock"+page, "").expect(t, 200)
		}
		if _, known := front.Node("gpu-node-1"); !known {
			t.Error("the front does not know the node")
		}
		for _, entry := range slices.Concat(front.Drift().Entries, front.UpstreamDrift().Entries) {
			if strings.Contains(entry.Expected, "nil") {
				t.Errorf("the drift at %q is that it %s", entry.Pointer, entry.Expected)
			}
			seen = append(seen, key(entry.Departure))
		}
		slices.Sort(seen)
		return seen
	}
	want := sees(t, string(openapi.Nodes))
	for _, name := range slices.Sorted(maps.Keys(ownDocuments)) {
		t.Run(name, func(t *testing.T) {
			document := ownDocuments[name](t, string(openapi.Nodes))
			if got := sees(t, document); !slices.Equal(got, want) {
				t.Errorf("the drift is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func key(d drift.Departure) string {
	return strings.Join([]string{d.Operation, d.Kind, d.Pointer, d.Got}, " ")
}

// TestAnOwnDocumentCountsInService has the document require what the orchestratord in service does not.
func TestAnOwnDocumentCountsInService(t *testing.T) {
	t.Parallel()
	inService := mockserver.WithDialect(mockserver.InService)
	orchestratord := mocktest.Start(t, inService)
	front := mocktest.Start(t, inService, mockserver.WithUpstream(mockserver.Upstream{
		URL: orchestratord.URL, Document: openapi.Nodes,
	}))
	callWith(t, front, "POST /v2/nodes/register", rustRegistration)
	const lacks = "/capabilities/cuda_version /capabilities/gpu_count /capabilities/total_vram_mb"
	expectDrift(t, "nodes", front.Drift(), lacks)
}

// TestDocumentsThatSayItInOtherWays holds traffic to documents that state answers, parameters and required fields
// in ways that ours does not.
func TestDocumentsThatSayItInOtherWays(t *testing.T) {
	t.Parallel()
	const answer = `{description: anything, content: {application/problem+json: {}}}`
	for name, test := range map[string]struct {
		old, new string
		drift    string // of the node
	}{
		"answers of a range": {`"404":`, "4XX: " + answer + "\n        \"499\":", ""},
		"all other answers":  {`"404":`, "default: " + answer + "\n        \"499\":", ""},
		"a range before all other answers": {
			`"404":`, "4XX: " + answer + "\n        default: {description: none}\n        \"499\":", "",
		},
		"a field of answers alone": {
			"description: What happened, for a person to read.", "readOnly: true", "",
		},
		"a parameter of a path": {
			"/{id}/heartbeat:\n", "/{id}/heartbeat:\n    parameters: [{name: fast, in: query, schema: {}}]\n", "",
		},
		"a range of media types":            {"application/json:", `"application/*":`, ""},
		"any media type":                    {"application/problem+json:", `"*/*":`, ""},
		"a field that has only to be there": {"required: [node_id,", "required: [lost, node_id,", "/lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := strings.ReplaceAll(string(openapi.Nodes), test.old, test.new)
			if document == string(openapi.Nodes) {
				t.Fatal("the document has no such place")
			}
			orchestratord := mocktest.Start(t)
			front := mocktest.Start(t, mockserver.WithUpstream(mockserver.Upstream{
				URL: orchestratord.URL, Document: []byte(document),
			}))
			heartbeat := "POST /v2/nodes/gpu-node-1/heartbeat"
			if strings.Contains(document, "name: fast") {
				heartbeat += "?fast=1"
			}
			callWith(t, front, heartbeat, briefHeartbeat) // which is answered 404
			callWith(t, front, "POST /v2/nodes/register", briefRegistration)
			expectDrift(t, "nodes", front.Drift(), test.drift)
			expectDrift(t, "orchestratord", front.UpstreamDrift(), "")
			if node, _ := front.Node("gpu-node-1"); node.Registration.MachineID != "machine-alpha" {
				t.Errorf("the front knows %+v", node)
			}
		})
	}
}
