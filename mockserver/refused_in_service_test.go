package mockserver_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// serviceRegistration and serviceHeartbeat are taken in both dialects.
var (
	serviceRegistration = strings.Replace(rustRegistration, `"capabilities":{`,
		`"capabilities":{"gpu_count":1,"total_vram_mb":24000,"cuda_version":"12.1",`, 1)
	serviceHeartbeat = rustHeartbeat
)

// refusals are requests that the document's dialect takes, and how the orchestratord in service
// would refuse them.
var refusals = map[string]struct {
	method, path string
	body         string
	replace      string // in the body
	with         string
	header       string
	validation   mockserver.Validation
	want         []string
}{
	"a fraction": {
		body: serviceHeartbeat, replace: `"slots_free":3`, with: `"slots_free":3.0`,
		want: []string{`heartbeatNode at "/pools/*/slots_free": must be written as an unsigned ` +
			`integer of at most 64 bits for the orchestratord in service (got 3.0)`},
	},
	"an exponent": {
		body: serviceHeartbeat, replace: `18000000000`, with: `18e9`,
		want: []string{`heartbeatNode at "/pools/*/vram_free_bytes": must be written as an unsigned ` +
			`integer of at most 64 bits for the orchestratord in service (got 18e9)`},
	},
	"a negative nothing": {
		body: serviceRegistration, replace: `"device_id":0`, with: `"device_id":-0`,
		want: []string{`registerNode at "/capabilities/gpus/*/device_id": must be written as an unsigned ` +
			`integer of at most 64 bits for the orchestratord in service (got -0)`},
	},
	"a field twice": {
		body: serviceRegistration, replace: `"cpu_cores":null`, with: `"cpu_cores":1,"cpu_cores":null`,
		want: []string{`registerNode at "/capabilities": must be readable for the orchestratord in service ` +
			"(got duplicate field `cpu_cores`)"},
	},
	"a field twice that it throws away": {
		body: serviceRegistration, replace: `"gpu_count":1`, with: `"gpu_count":1,"gpu_count":1`,
	},
	"missing fields, and one that the document does not name": {
		body: briefHeartbeat, replace: `"ready"`, with: `"color":1,"ready"`,
		want: []string{
			`heartbeatNode at "/pools/*/draining": must be there for the orchestratord in service (got nothing)`,
			`heartbeatNode at "/pools/*/slots_total": must be there for the orchestratord in service (got nothing)`,
			`heartbeatNode at "/pools/*/vram_free_bytes": must be there for the orchestratord in service ` +
				`(got nothing)`,
		},
	},
	"missing fields behind a pool that has them": {
		body: serviceHeartbeat, replace: `}]}`,
		with: `},{"pool_id":"pool-1","ready":true,"slots_free":0,"slots_total":0,"draining":false}]}`,
		want: []string{
			`heartbeatNode at "/pools/*/vram_free_bytes": must be there for the orchestratord in service ` +
				`(got nothing)`,
		},
	},
	"values that are passed over": {
		body: serviceHeartbeat, replace: `"draining":false,"slots_free":3`, with: `"draining":"no","slots_free":-1`,
		validation: mockserver.Report,
		want: []string{
			`heartbeatNode at "/pools/*/draining": must be of type boolean for the orchestratord in service ` +
				`(got "no")`,
			`heartbeatNode at "/pools/*/slots_free": must be 0 or more for the orchestratord in service (got -1)`,
		},
	},
	"a number that breaks two rules": {
		body: serviceHeartbeat, replace: `"slots_free":3`, with: `"slots_free":1e30`,
		validation: mockserver.Report,
		want: []string{`heartbeatNode at "/pools/*/slots_free": must be a valid int64, such as 4 for the ` +
			`orchestratord in service (got 1e+30)`},
	},
	"half a character": {
		body: serviceHeartbeat, replace: `"engine":null`, with: `"engine":"\ud800"`,
		validation: mockserver.Report,
		want: []string{`heartbeatNode at "/pools/*/engine": must be readable for the orchestratord in service ` +
			`(got unexpected end of hex escape)`},
	},
	"a scheme in small letters": {
		method: "GET", path: "/v2/nodes", header: "Authorization: bearer secret",
		want: []string{`listNodes at "Authorization": must begin with Bearer for the orchestratord in service ` +
			`(got "bearer")`},
	},
	"a scheme in small letters before a body that is plain": {
		body: serviceHeartbeat, header: "Authorization: bearer secret",
		want: []string{`heartbeatNode at "Authorization": must begin with Bearer for the orchestratord in service ` +
			`(got "bearer")`},
	},
	"a node whose id is a path": {
		method: "DELETE", path: "/v2/nodes/register",
		want: []string{`deregisterNode at "/v2/nodes/register": must be POST for the orchestratord in service ` +
			`(got "DELETE")`},
	},

	"nothing": {body: serviceHeartbeat},
	"a node without GPUs": {
		body: serviceRegistration, replace: `"gpus":[{"device_id":0,"name":"NVIDIA GeForce RTX 3090",` +
			`"vram_total_bytes":24000000000,"compute_capability":"8.6"}]`, with: `"gpus":[]`,
	},
	"an escape": {
		body: serviceHeartbeat, replace: "pool-0", with: `\u0070ool-0`,
	},
	"what is thrown away": {
		body: serviceHeartbeat, replace: `"ready"`, with: `"models_available":[],"color":-0.0,"ready"`,
	},
	"the Rust node": {body: rustRegistration, validation: mockserver.Report},
}

// TestRefusedInServiceIsNoted sends the same requests to both dialects.
func TestRefusedInServiceIsNoted(t *testing.T) {
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			send := func(dialect mockserver.Dialect, validation mockserver.Validation) (*mocktest.Server, int) {
				server := mocktest.InMemory(t, mockserver.WithTokens("secret"), mockserver.WithDialect(dialect),
					mockserver.WithValidation(validation))
				call := func(method, path, body, header string) int {
					return callWith(t, server, method+" "+path, body, "Authorization: Bearer secret", header)
				}
				for _, id := range []string{"gpu-node-1", "register"} {
					call("POST", "/v2/nodes/register",
						strings.Replace(serviceRegistration, "gpu-node-1", id, 1), "")
				}
				body := strings.Replace(test.body, test.replace, test.with, 1)
				switch {
				case test.body == "":
				case strings.Contains(test.body, "timestamp"):
					test.method, test.path = "POST", "/v2/nodes/gpu-node-1/heartbeat"
				default:
					test.method, test.path = "POST", "/v2/nodes/register"
				}
				return server, call(test.method, test.path, body, test.header)
			}
			server, status := send(mockserver.Document, cmp.Or(test.validation, mockserver.Strict))
			if status >= 300 {
				t.Errorf("the document's dialect answers %d", status)
			}
			var got []string
			for _, entry := range server.RefusedInService().Entries {
				got = append(got, entry.String())
				if entry.Kind != drift.RefusedInService || entry.Requests != 1 {
					t.Errorf("%+v", entry)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if _, status := send(mockserver.InService, mockserver.Strict); (status >= 300) != (test.want != nil) {
				t.Errorf("in service the answer is %d", status)
			}
		})
	}
}

// TestASchemeThatNobodyReads is refused nowhere: without tokens, nobody looks at it.
func TestASchemeThatNobodyReads(t *testing.T) {
	client, server := start(t)
	client.do("GET", "/v2/nodes", "", "Authorization", "bearer x").expect(t, http.StatusOK)
	if got := server.RefusedInService().Entries; len(got) > 0 {
		t.Errorf("refused in service: %v", got)
	}
}

// TestRefusedInServiceInFront stands in front of an orchestratord that accepts everything. What another one
// refuses is not noted.
func TestRefusedInServiceInFront(t *testing.T) {
	const beat = "/v2/nodes/gpu-node-1/heartbeat"
	answers := func(status int) string {
		orchestratord := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
		}))
		t.Cleanup(orchestratord.Close)
		return orchestratord.URL
	}
	lenient, strict := answers(http.StatusOK), answers(http.StatusBadRequest)
	for name, test := range map[string]struct {
		method, path, body, header string
		want                       []string
	}{
		"a fraction": {
			"POST", beat, strings.Replace(serviceHeartbeat, `"slots_free":3`, `"slots_free":3.0`, 1), "",
			[]string{"heartbeatNode /pools/*/slots_free"},
		},
		"what is missing": {
			"POST", "/v2/nodes/register", briefRegistration, "", []string{"registerNode /capabilities/gpus"},
		},
		"no JSON": {"POST", beat, "{", "", []string{"heartbeatNode "}},
		"another content type": {
			"POST", beat, "{}", "Content-Type: text/plain", []string{"heartbeatNode Content-Type"},
		},
		"a list": {"GET", "/v2/nodes", "", "Authorization: bearer x", []string{"listNodes Authorization"}},
		"an id": {
			"DELETE", "/v2/nodes/%FF", "", "",
			[]string{"deregisterNode /v2/nodes/{id}"},
		},
		"another scheme": {"GET", "/v2/nodes", "", "Authorization: Basic x", nil}, // neither of both reads it
		"nothing":        {"POST", beat, serviceHeartbeat, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			refusing, front := inFront(t, strict), inFront(t, lenient)
			for _, server := range []*mocktest.Server{refusing, front} {
				callWith(t, server, test.method+" "+test.path, test.body, "Authorization: Bearer secret", test.header)
			}
			var got []string
			for _, entry := range front.RefusedInService().Entries {
				got = append(got, entry.Operation+" "+entry.Pointer)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if refused := refusing.RefusedInService().Entries; len(refused) > 0 {
				t.Errorf("of what orchestratord refused, it says %v", refused)
			}
		})
	}
}
