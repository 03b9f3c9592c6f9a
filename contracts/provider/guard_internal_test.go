//go:build pact

package provider

import (
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	own := newIDs()
	g, err := newGuard(own)
	if err != nil {
		t.Fatal(err)
	}
	mine := own.prefix + "1"
	for name, test := range map[string]struct{ method, path, body, want string }{
		"a list": {"GET", "/v2/nodes", "", ""},
		"a registration": {
			"POST", "/v2/nodes/register", `{"node_id": "` + mine + `", "pools": [{"a": [1]}]}`, "",
		},
		"a heartbeat":                 {"POST", "/v2/nodes/" + mine + "/heartbeat", `{"pools": []}`, ""},
		"a heartbeat that is no JSON": {"POST", "/v2/nodes/" + mine + "/heartbeat", `}`, ""},
		"a deregistration":            {"DELETE", "/v2/nodes/" + mine, "", ""},
		"another node":                {"DELETE", "/v2/nodes/gpu-1", "", `the node "gpu-1"`},
		"another run's node":          {"DELETE", "/v2/nodes/pact-node-abc-1", "", `the node "pact-node-abc-1"`},
		"a node by escapes":           {"DELETE", "/v2/nodes/%67pu-1", "", "pu-1"},
		"a node behind one's own":     {"DELETE", "/v2/nodes/" + mine + "%2F..%2Fgpu-1", "", "gpu-1"},
		"a node behind dots":          {"DELETE", "/v2/nodes/" + mine + "/../gpu-1", "", "the API of nodes has no"},
		"a heartbeat of another": {
			"POST", "/v2/nodes/gpu-1/heartbeat", `{"node_id": "` + mine + `"}`, `the node "gpu-1"`,
		},
		"a registration of another": {"POST", "/v2/nodes/register", `{"node_id": "gpu-1"}`, `the node "gpu-1"`},
		"one of two names": {
			"POST", "/v2/nodes/register", `{"node_id": "` + mine + `", "node_id": "gpu-1"}`, `"gpu-1"`,
		},
		"the other of two names": {
			"POST", "/v2/nodes/register", `{"node_id": "gpu-1", "node_id": "` + mine + `"}`, `"gpu-1"`,
		},
		"a name in another case": {
			"POST", "/v2/nodes/register", `{"NODE_ID": "gpu-1", "node_id": "` + mine + `"}`, `"gpu-1"`,
		},
		"a name in escapes": {
			"POST", "/v2/nodes/register", `{"node\u005fid": "gpu-1", "node_id": "` + mine + `"}`, `"gpu-1"`,
		},
		"a second document": {
			"POST", "/v2/nodes/register", `{"node_id": "` + mine + `"}{"node_id": "gpu-1"}`, `"gpu-1"`,
		},
		"a name that is no text": {
			"POST", "/v2/nodes/register", `{"node_id": ["` + mine + `"]}`, "it is about the node",
		},
		"no name":                {"POST", "/v2/nodes/register", `{}`, "names no node"},
		"no body":                {"POST", "/v2/nodes/register", ``, "names no node"},
		"a body that is no JSON": {"POST", "/v2/nodes/register", "node_id: gpu-1", "cannot be read"},
		"another path":           {"POST", "/v2/shutdown", "", "the API of nodes has no POST /v2/shutdown"},
		"another method":         {"PUT", "/v2/nodes", "", "the API of nodes has no PUT /v2/nodes"},
		"an empty id":            {"POST", "/v2/nodes//heartbeat", "{}", "is no path"},
	} {
		err := g.check(test.method, test.path, []byte(test.body))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %q", name, err, test.want)
		}
	}
}
