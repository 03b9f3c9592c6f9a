package mockserver_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// The payloads that today's orchestratord needs, with every field that the document
// knows.
const (
	fullRegistration = `{
  "node_id": "gpu-node-1", "machine_id": "machine-alpha", "address": "https://[2001:db8::1]:9200/pool", "pools": ["pool-0"],
  "capabilities": {
    "gpu_count": 1, "total_vram_mb": 24000, "cuda_version": "12.1", "cpu_cores": 32, "ram_total_bytes": 9007199254740991,
    "gpus": [{"device_id": 0, "name": "NVIDIA GeForce RTX 3090", "vram_total_bytes": 24000000000, "compute_capability": "8.6"}]
  },
  "version": "0.1.0"
}`
	fullHeartbeat = `{
  "timestamp": "2026-11-23T15:13:54.862242784+00:00",
  "pools": [{
    "pool_id": "pool-0", "ready": true, "draining": false, "slots_free": 3, "slots_total": 4,
    "vram_free_bytes": 18000000000, "engine": "llamacpp", "models_available": ["llama-3-8b"]
  }]
}`
)

// The payloads of the node in service, byte for byte.
const (
	rustRegistration = `{"node_id":"gpu-node-1","machine_id":"machine-alpha","address":"http://127.0.0.1:9200",` +
		`"pools":["pool-0"],"capabilities":{"gpus":[{"device_id":0,"name":"NVIDIA GeForce RTX 3090",` +
		`"vram_total_bytes":24000000000,"compute_capability":"8.6"}],"cpu_cores":null,"ram_total_bytes":null},` +
		`"version":"0.1.0"}`
	rustHeartbeat = `{"timestamp":"2026-11-23T15:13:54.862242784+00:00","pools":[{"pool_id":"pool-0",` +
		`"ready":true,"draining":false,"slots_free":3,"slots_total":4,"vram_free_bytes":18000000000,"engine":null}]}`
)

func TestAcceptedPayloads(t *testing.T) {
	for _, test := range []struct{ name, registration, heartbeat string }{
		{"the brief's", briefRegistration, briefHeartbeat},
		{"everything", fullRegistration, fullHeartbeat},
		{"the heartbeat in service", briefRegistration, rustHeartbeat},
		{
			"no pools",
			edited(t, briefRegistration, "/pools", []any{}),
			edited(t, briefHeartbeat, "/pools", []any{}),
		},
		{
			"unknown fields",
			edited(t, edited(t, briefRegistration, "/color", 1e300), "/capabilities/fans",
				[]any{nil, map[string]any{}}),
			edited(t, edited(t, briefHeartbeat, "/mood", "good"), "/pools/0/Ready", "maybe"),
		},
		{
			"numbers by their value",
			strings.NewReplacer("4000000000", "4e9", "32", "32E0", "740991", "740991.0").Replace(fullRegistration),
			strings.Replace(briefHeartbeat, "4\n", "-0.0\n", 1),
		},
		{
			"the last of two fields with one name",
			withFields(`"node_id": ""`, briefRegistration),
			withFields(`"timestamp": null`, briefHeartbeat),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := start(t)
			client.register(test.registration).expect(t, http.StatusOK)
			client.beat("gpu-node-1", test.heartbeat).expect(t, http.StatusOK)
			if nodes := server.Nodes(); len(nodes) != 1 || nodes[0].Registration.MachineID != "machine-alpha" {
				t.Errorf("nodes: %+v", nodes)
			}
		})
	}
}

// TestAnyTextIsListed lists GPUs whose names have what JSON, or an encoder of it, writes in its own way.
func TestAnyTextIsListed(t *testing.T) {
	for _, c := range "\"\\/<>&\u2028é\U0001f600" {
		client, _ := start(t)
		name := "a" + string(c) + "b"
		client.register(edited(t, fullRegistration, "/capabilities/gpus/0/name", name)).expect(t, http.StatusOK)
		var list nodeapi.NodeList
		decode(t, client.do("GET", "/v2/nodes", "").expect(t, http.StatusOK).text, &list)
		if got := (*list.Nodes[0].Capabilities.Gpus)[0].Name; got != name {
			t.Errorf("%q is listed as %q", name, got)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	client, _ := start(t)
	for contentType, status := range map[string]int{
		"application/json; charset=utf-8":   http.StatusOK,
		`application/json ;charset="UTF-8"`: http.StatusOK,
		"application/json;charset=":         http.StatusOK,
		"application/json;charset":          http.StatusOK,
		"application/json; version=1;":      http.StatusOK,
		"Application/JSON":                  http.StatusOK,

		"application/json; charset=utf8":                  http.StatusUnsupportedMediaType,
		"application/json; charset=us-ascii":              http.StatusUnsupportedMediaType,
		"application/json; charset=utf-8; charset=latin1": http.StatusUnsupportedMediaType,
		"application/json, application/json":              http.StatusUnsupportedMediaType,
		"application/json-seq":                            http.StatusUnsupportedMediaType,
		"application/problem+json":                        http.StatusUnsupportedMediaType,
		"text/json":                                       http.StatusUnsupportedMediaType,
	} {
		client.do("POST", "/v2/nodes/register", briefRegistration, "Content-Type", contentType).expect(t, status)
	}
}

// TestNodeInService registers the node in service, which lacks what the brief requires.
func TestNodeInService(t *testing.T) {
	client, server := start(t)
	refused := client.register(rustRegistration).expect(t, http.StatusUnprocessableEntity)
	want := []string{"/capabilities/cuda_version", "/capabilities/gpu_count", "/capabilities/total_vram_mb"}
	if diff := cmp.Diff(want, refused.pointers(t)); diff != "" {
		t.Errorf("pointers (-want +got):\n%s", diff)
	}
	if nodes := server.Nodes(); len(nodes) != 0 {
		t.Errorf("nodes: %+v", nodes)
	}
}

func TestRequiredFields(t *testing.T) {
	client, server := start(t)
	client.register(briefRegistration).expect(t, http.StatusOK)
	before := server.Nodes()
	beat := func(body string) answer { return client.beat("gpu-node-1", body) }
	for _, operation := range []struct {
		send    func(body string) answer
		payload string
		fields  []string
	}{
		{client.register, fullRegistration, []string{
			"/node_id", "/machine_id", "/address", "/pools", "/capabilities",
			"/capabilities/gpu_count", "/capabilities/total_vram_mb", "/capabilities/cuda_version",
			"/capabilities/gpus/0/device_id", "/capabilities/gpus/0/name",
			"/capabilities/gpus/0/vram_total_bytes", "/capabilities/gpus/0/compute_capability",
		}},
		{beat, fullHeartbeat, []string{
			"/timestamp", "/pools", "/pools/0/pool_id", "/pools/0/ready", "/pools/0/slots_free",
		}},
	} {
		for _, field := range operation.fields {
			for _, value := range []any{missing, nil, 1.5} {
				got := operation.send(edited(t, operation.payload, field, value)).expect(t,
					http.StatusUnprocessableEntity)
				if diff := cmp.Diff([]string{field}, got.pointers(t)); diff != "" {
					t.Errorf("%s as %v: pointers (-want +got):\n%s", field, value, diff)
				}
			}
		}
	}
	if diff := cmp.Diff(before, server.Nodes()); diff != "" {
		t.Errorf("the registry has changed (-before +after):\n%s", diff)
	}
}

// TestFieldNamesAreExact sends fields that encoding/json would take for the ones that
// they resemble.
func TestFieldNamesAreExact(t *testing.T) {
	client, server := start(t)
	got := client.register(strings.Replace(briefRegistration, "node_id", "NODE_ID", 1)).expect(t,
		http.StatusUnprocessableEntity)
	if diff := cmp.Diff([]string{"/node_id"}, got.pointers(t)); diff != "" {
		t.Errorf("pointers (-want +got):\n%s", diff)
	}
	both := withFields(`"Node_ID": "../etc", "Version": 7`, briefRegistration)
	client.register(strings.Replace(both, "\n}", `, "MACHINE_ID": "../etc"}`, 1)).expect(t, http.StatusOK)
	if id := server.Nodes()[0].Registration.NodeID; id != "gpu-node-1" {
		t.Errorf("registered as %q", id)
	}
	if id := server.Nodes()[0].Registration.MachineID; id != "machine-alpha" {
		t.Errorf("registered on machine %q", id)
	}
}

// TestTimesInSmallLetters sends a time as RFC 3339 has it too (section 5.6). The second body is read the slow way.
func TestTimesInSmallLetters(t *testing.T) {
	client, _ := start(t)
	client.register(briefRegistration).expect(t, http.StatusOK)
	for _, field := range []string{"timestamp", `timestam\u0070`} {
		for _, instant := range []string{"2025-10-01t00:00:00.5z", "2025-10-01t00:00:00Z", "2025-10-01T00:00:00z"} {
			client.beat("gpu-node-1", `{"`+field+`":"`+instant+`","pools":[]}`).expect(t, http.StatusOK)
		}
	}
}

// TestValidationOff leaves what the types can hold as the only check.
func TestValidationOff(t *testing.T) {
	client, server := start(t, mockserver.WithValidation(mockserver.Off))
	client.register(edited(t, briefRegistration, "/address", "nowhere")).expect(t, http.StatusOK)
	client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
	client.register(`{"node_id": "gpu-node-2"}`).expect(t, http.StatusOK)
	if got := client.fetch("/v2/nodes").text; bytes.Count(got, []byte(`"pools":[`)) != 2 {
		t.Errorf("listed without pools: %s", got)
	}
	client.deregister("gpu-node-2").expect(t, http.StatusNoContent)
	for body, status := range map[string]int{
		"":               http.StatusBadRequest,
		"{":              http.StatusBadRequest,
		"[]":             http.StatusUnprocessableEntity,
		`{"node_id": 1}`: http.StatusUnprocessableEntity,
	} {
		client.register(body).expect(t, status)
	}
	if nodes := server.Nodes(); len(nodes) != 1 || nodes[0].Registration.Address != "nowhere" {
		t.Errorf("nodes: %+v", nodes)
	}
	if refused := server.RefusedInService().Entries; len(refused) > 0 {
		t.Errorf("looked for what is refused in service: %v", refused)
	}
}

func TestDeepNesting(t *testing.T) {
	client, _ := start(t, mockserver.WithBodyLimit(1<<20))
	nested := func(depth int) string {
		return strings.Replace(briefRegistration, "{", `{"x": `+strings.Repeat("[", depth)+strings.Repeat("]", depth)+
			", ", 1)
	}
	client.register(nested(9_000)).expect(t, http.StatusOK)
	client.register(nested(10_001)).expect(t, http.StatusBadRequest)
	client.register(strings.Repeat("[", 100_000)).expect(t, http.StatusBadRequest)
}

// missing is the value of a field that is not there.
var missing = struct{ missing bool }{true}

// edited returns a JSON text with another value at a place, where the place may be new.
func edited(t testing.TB, text, pointer string, value any) string {
	t.Helper()
	var root any
	decode(t, []byte(text), &root)
	steps := strings.Split(pointer, "/")[1:]
	parent := root
	for _, step := range steps[:len(steps)-1] {
		if items, ok := parent.([]any); ok {
			parent = items[at(t, step)]
		} else {
			parent = parent.(map[string]any)[step]
		}
	}
	switch last := steps[len(steps)-1]; parent := parent.(type) {
	case []any:
		parent[at(t, last)] = value
	case map[string]any:
		parent[last] = value
		if value == missing {
			delete(parent, last)
		}
	}
	changed, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

func at(t testing.TB, step string) int {
	t.Helper()
	i, err := strconv.Atoi(step)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// names returns n different names.
func names(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "pool-" + strconv.Itoa(i)
	}
	return names
}
