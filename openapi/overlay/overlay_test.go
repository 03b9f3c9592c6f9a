package overlay_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi/overlay"
)

const base = `
openapi: 3.0.3
info: {title: Example, version: "1"}
paths: {}
components:
  schemas:
    Node:
      type: object
      required: [id]
      properties:
        id: {type: string, maxLength: 8}
        owner: {type: object}
`

const head = `
overlay: 1.0.0
info: {title: Another, version: "1"}
extends: base.yaml
actions:
`

func TestApply(t *testing.T) {
	o := parse(t, []byte(head+`
  - target: $.components.schemas.Node
    description: It needs an address.
    update: &more {properties: {address: {type: string}}}
  - target: $.components.schemas.Node.properties.id.maxLength
    description: It takes any id.
    remove: true
  - target: $.components.schemas.Node.properties.owner
    description: The owner has one, too.
    update: *more
`))
	got, err := o.Apply([]byte(base))
	if err != nil {
		t.Fatal(err)
	}
	node := schemas(t, got)["Node"].Value
	owner := node.Properties["owner"].Value
	if node.Properties["address"] == nil || owner.Properties["address"] == nil ||
		node.Properties["id"].Value.MaxLength != nil {
		t.Errorf("the document has become\n%s", got)
	}
}

func TestFilters(t *testing.T) {
	for _, version := range []string{"1.0.0", "1.1.0"} {
		o := parse(t, []byte(strings.Replace(head, "1.0.0", version, 1)+`
  - target: $.components.schemas.Node.properties[?@.type == 'string' && @.maxLength < 9]
    description: It takes longer ones.
    update: {maxLength: 9}
`))
		got, err := o.Apply([]byte(base))
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		if most := schemas(t, got)["Node"].Value.Properties["id"].Value.MaxLength; most == nil || *most != 9 {
			t.Errorf("%s: the document has become\n%s", version, got)
		}
	}
}

func TestCopy(t *testing.T) {
	o := parse(t, []byte(strings.Replace(head, "1.0.0", "1.1.0", 1)+`
  - target: $.components.schemas.Node.properties.owner
    description: It is one, too.
    copy: $.components.schemas.Node.properties.id
`))
	got, err := o.Apply([]byte(base))
	if err != nil {
		t.Fatal(err)
	}
	if owner := schemas(t, got)["Node"].Value.Properties["owner"].Value; !owner.Type.Is("string") {
		t.Errorf("the document has become\n%s", got)
	}
	if got := o.Differences()[0].Change; got != "copied from schemas.Node.properties.id" {
		t.Errorf("the difference is %q", got)
	}
}

func TestResolveRefusesAnOverlayOnItself(t *testing.T) {
	text := []byte(head + "  - {target: $.paths, description: d, remove: true}\n")
	_, err := overlay.Resolve(text, func(string) ([]byte, error) { return text, nil })
	if err == nil || !strings.Contains(err.Error(), "base.yaml, which it extends, is an overlay itself") {
		t.Errorf("the error is %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"no YAML": {"{", "read the overlay"},
		"another version": {
			strings.Replace(head, "1.0.0", "3.0.0", 1) + "  - {target: $, description: d, remove: true}\n", "version",
		},
		"nothing to extend": {
			strings.Replace(head, "extends: base.yaml\n", "", 1) + "  - {target: $, description: d, remove: true}\n",
			"which document it extends",
		},
		"no reason": {
			head + "  - {target: $.paths, remove: true}\n", "action 1 of the overlay, on $.paths, gives no reason",
		},
		"an action that does nothing": {
			head + "  - {target: $.paths, description: d}\n", "on $.paths, neither updates, removes nor copies",
		},
		"an action with a field that is misspelt": {
			head + "  - {target: $.paths, description: d, updates: {a: b}}\n", `has a field "updates"`,
		},
		"a copy before there were any": {
			head + "  - {target: $.paths, description: d, copy: $.info}\n", "copies, which came with version 1.1.0",
		},
		"no actions": {strings.TrimSuffix(head, "\n") + " []\n", "at least one action"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := overlay.Parse([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
		})
	}
}

// An action without effect is how an overlay shows that its document has moved on.
func TestApplyRefusesActionsWithoutEffect(t *testing.T) {
	for name, action := range map[string]string{
		"no target": "  - {target: $.components.schemas.Pool, description: d, remove: true}\n",
		"nothing to undo": "  - {target: $.components.schemas.Node.properties.id.pattern, description: d, remove: " +
			"true}\n",
		"the same again": "  - {target: $.components.schemas.Node, description: d, update: {type: object}}\n",
		"no path":        "  - {target: '$.components[', description: d, remove: true}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := parse(t, []byte(head+action)).Apply([]byte(base)); err == nil {
				t.Errorf("it was applied:\n%s", got)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	o := parse(t, []byte(head+`
  - target: $.paths['/v2/nodes/{id}'].delete.responses['404','503']
    description: |
      These errors are
      no problem details.
    remove: true
  - target: $.components.schemas.Node
    description: It needs an address.
    update: {required: [address]}
`))
	want := []overlay.Difference{
		{"paths[/v2/nodes/{id}].delete.responses", "removed 404, 503", "These errors are no problem details."},
		{"schemas.Node", `{"required":["address"]}`, "It needs an address."},
	}
	if got := o.Differences(); !slices.Equal(got, want) {
		t.Errorf("the differences are %q, want %q", got, want)
	}
}

// The payloads of this test were seen on the wire, or are those of the product's brief.
func TestInService(t *testing.T) {
	tests := map[string]struct {
		schema, body string
		missing      string // what is refused; empty when nothing is
	}{
		"the registration of the Rust node": {
			schema: "RegisterRequest",
			body: `{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://127.0.0.1:9200","pools":["pool-0"],
				"capabilities":{"gpus":[{"device_id":0,"name":"NVIDIA GeForce RTX 3090","vram_total_bytes":24000000000,
				"compute_capability":"8.6"}],"cpu_cores":null,"ram_total_bytes":null},"version":"0.1.0"}`,
		},
		"the heartbeat of the Rust node": {
			schema: "HeartbeatRequest",
			body: `{"timestamp":"2026-11-23T15:13:54.862242784+00:00","pools":[{"pool_id":"pool-0","ready":true,"draining":false,
				"slots_free":3,"slots_total":4,"vram_free_bytes":18000000000,"engine":null}]}`,
		},
		"a registration with the largest numbers": {
			schema: "RegisterRequest",
			body: `{"node_id":"any text","machine_id":"","address":"anywhere","pools":["p","p"],"capabilities":{
				"gpus":[{"device_id":4294967295,"name":"","vram_total_bytes":18446744073709551615,
				"compute_capability":""}],"cpu_cores":4294967295,"ram_total_bytes":18446744073709551615,
				"gpu_count":"two"}}`,
		},
		"a heartbeat with the largest numbers": {
			schema: "HeartbeatRequest",
			body: `{"timestamp":"","pools":[{"pool_id":"any text","ready":true,"draining":true,"slots_free":4294967295,
				"slots_total":4294967295,"vram_free_bytes":18446744073709551615,"models_available":7}]}`,
		},
		"any text as a timestamp": {schema: "HeartbeatRequest", body: `{"timestamp":"now","pools":[]}`},
		"the registration of the brief": {
			schema: "RegisterRequest", missing: "gpus",
			body: `{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://192.168.1.100:9200",
				"pools":["pool-0","pool-1"],"capabilities":{"gpu_count":2,"total_vram_mb":48000,"cuda_version":"12.1"}}`,
		},
		"the heartbeat of the brief": {
			schema: "HeartbeatRequest", missing: "draining",
			body: `{"timestamp":"2025-10-01T00:00:00Z","pools":[{"pool_id":"pool-0","ready":true,"slots_free":4}]}`,
		},
	}
	for _, folder := range []string{"../", "../released/"} {
		document := inService(t, folder)
		for name, test := range tests {
			t.Run(folder+" "+name, func(t *testing.T) {
				var body any
				if err := json.Unmarshal([]byte(test.body), &body); err != nil {
					t.Fatal(err)
				}
				err := document[test.schema].Value.VisitJSON(body, openapi3.EnableFormatValidation())
				switch {
				case test.missing == "" && err != nil:
					t.Errorf("it is refused: %v", err)
				case test.missing != "" && (err == nil || !strings.Contains(err.Error(), test.missing)):
					t.Errorf("the error is %v, want one about %s", err, test.missing)
				}
			})
		}
	}
}

// inService returns the schemas of the orchestratord in service.
func inService(t *testing.T, folder string) openapi3.Schemas {
	t.Helper()
	o := parse(t, read(t, folder+"in-service.overlay.yaml"))
	document, err := o.Apply(read(t, folder+o.Extends()))
	if err != nil {
		t.Fatal(err)
	}
	return schemas(t, document)
}

func parse(t *testing.T, text []byte) *overlay.Overlay {
	t.Helper()
	o, err := overlay.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// schemas returns those of a document that is valid, examples included.
func schemas(t *testing.T, document []byte) openapi3.Schemas {
	t.Helper()
	api, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Validate(t.Context()); err != nil {
		t.Fatalf("the document is not valid: %v", err)
	}
	return api.Components.Schemas
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
