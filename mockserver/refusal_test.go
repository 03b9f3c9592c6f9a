package mockserver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestRefusals sends what is wrong about a request, a thing at a time, and two where
// the order of the checks shows.
func TestRefusals(t *testing.T) {
	const (
		register  = "/v2/nodes/register"
		heartbeat = "/v2/nodes/gpu-node-1/heartbeat"
		node      = "/v2/nodes/gpu-node-1"
		list      = "/v2/nodes"
		json      = "application/json"
		limit     = 4 << 10
	)
	long := `{"pools": "` + strings.Repeat("x", limit) + `"}`
	for _, test := range []struct {
		name         string
		method, path string
		contentType  string
		body         string
		anonymous    bool
		status       int
		code         nodeapi.ProblemCode
		detail       string // a part of it
		pointers     []string
		headers      map[string]string
	}{
		// Routing comes first: no token is asked for.
		{name: "no such path", method: "GET", path: "/nowhere", anonymous: true, status: 404, code: "not_found"},
		{
			name: "path with a slash too many", method: "GET", path: "/v2/nodes/", anonymous: true, status: 404,
			code: "not_found",
		},
		{
			name: "heartbeat without an id", method: "POST", path: "/v2/nodes//heartbeat", anonymous: true, status: 404,
			code: "not_found",
		},
		{
			name: "unknown method on no path", method: "FOO", path: "/v2", anonymous: true, status: 404,
			code: "not_found",
		},
		{
			name: "wrong method for list", method: "POST", path: list, anonymous: true, status: 405,
			code: "method_not_allowed", headers: map[string]string{"Allow": "GET"},
		},
		{
			name: "another wrong method for list", method: "PUT", path: list, anonymous: true, status: 405,
			code: "method_not_allowed", headers: map[string]string{"Allow": "GET"},
		},
		{
			name: "wrong method for register", method: "GET", path: register, anonymous: true, status: 405,
			code: "method_not_allowed", headers: map[string]string{"Allow": "DELETE, POST"},
		},
		{
			name: "wrong method for heartbeat", method: "GET", path: heartbeat, anonymous: true, status: 405,
			code: "method_not_allowed", headers: map[string]string{"Allow": "POST"},
		},
		{
			name: "wrong method, id with a slash", method: "GET", path: "/v2/nodes/a%2Fb/heartbeat", anonymous: true,
			status: 405, code: "method_not_allowed", headers: map[string]string{"Allow": "POST"},
		},
		{
			name: "wrong method for a node", method: "GET", path: node, anonymous: true, status: 405,
			code: "method_not_allowed", headers: map[string]string{"Allow": "DELETE"},
		},
		{
			name: "unknown method", method: "FOO", path: node, anonymous: true, status: 405, code: "method_not_allowed",
			headers: map[string]string{"Allow": "DELETE"},
		},

		// Then the token.
		{
			name: "register without token", method: "POST", path: register, contentType: "text/plain", body: "{",
			anonymous: true, status: 401, code: "unauthorized",
		},
		{
			name: "heartbeat without token", method: "POST", path: heartbeat, contentType: json, body: briefHeartbeat,
			anonymous: true, status: 401, code: "unauthorized",
		},
		{
			name: "deregister without token", method: "DELETE", path: "/v2/nodes/%20", anonymous: true, status: 401,
			code: "unauthorized",
		},
		{name: "list without token", method: "GET", path: list, anonymous: true, status: 401, code: "unauthorized"},

		// Then the media type.
		{
			name: "register without content type", method: "POST", path: register, body: briefRegistration, status: 415,
			code: "unsupported_media_type",
		},
		{
			name: "register in text", method: "POST", path: register, contentType: "text/plain", body: long,
			status: 415, code: "unsupported_media_type", detail: "send application/json",
		},
		{
			name: "heartbeat as a form", method: "POST", path: heartbeat,
			contentType: "application/x-www-form-urlencoded", body: "{", status: 415, code: "unsupported_media_type",
		},
		{
			name: "nonsense for a content type", method: "POST", path: heartbeat, contentType: ";/;",
			body: briefHeartbeat, status: 415, code: "unsupported_media_type",
		},

		// Then the size.
		{
			name: "register too large", method: "POST", path: register, contentType: json, body: long, status: 413,
			code: "body_too_large", detail: "larger than 4096 bytes",
		},
		{
			name: "heartbeat too large", method: "POST", path: heartbeat, contentType: json, body: long[1:],
			status: 413, code: "body_too_large",
		},

		// Then whether it is JSON.
		{name: "empty", method: "POST", path: register, contentType: json, status: 400, code: "malformed_body"},
		{
			name: "blank", method: "POST", path: heartbeat, contentType: json, body: " \n", status: 400,
			code: "malformed_body",
		},
		{
			name: "cut off", method: "POST", path: register, contentType: json, body: briefRegistration[:100],
			status: 400, code: "malformed_body",
		},
		{
			name: "not JSON", method: "POST", path: heartbeat, contentType: json, body: "pools=1", status: 400,
			code: "malformed_body", detail: "at byte 1",
		},
		{
			name: "two values", method: "POST", path: register, contentType: json,
			body: briefRegistration + briefRegistration, status: 400, code: "malformed_body",
		},
		{
			name: "rubbish behind", method: "POST", path: heartbeat, contentType: json, body: briefHeartbeat + "}",
			status: 400, code: "malformed_body",
		},
		{
			name: "byte order mark", method: "POST", path: register, contentType: json,
			body: "\ufeff" + briefRegistration, status: 400, code: "malformed_body",
		},
		{
			name: "NUL", method: "POST", path: register, contentType: json, body: "{\"node_id\": \"a\x00\"}",
			status: 400, code: "malformed_body",
		},
		{
			name: "not UTF-8", method: "POST", path: register, contentType: json,
			body: strings.Replace(briefRegistration, "192.168.1.100", "gpu\xff", 1), status: 400,
			code: "malformed_body",
		},

		// Then whether it keeps the contract; each field has its turn in TestRequiredFields.
		{
			name: "a list", method: "POST", path: register, contentType: json, body: "[]", status: 422,
			code: "contract_violation", pointers: []string{""},
		},
		{
			name: "null", method: "POST", path: heartbeat, contentType: json, body: "null", status: 422,
			code: "contract_violation", pointers: []string{""},
		},
		{
			name: "nothing in it", method: "POST", path: "/v2/nodes/%20/heartbeat", contentType: json, body: "{}",
			status: 422, code: "contract_violation",
			detail:   `at "/timestamp": property "timestamp" is missing (1 more)`,
			pointers: []string{"/pools", "/timestamp"},
		},

		// Last, whether the node is known.
		{
			name: "heartbeat of nobody", method: "POST", path: "/v2/nodes/gpu-node-2/heartbeat", contentType: json,
			body: briefHeartbeat, status: 404, code: "unknown_node",
		},
		{
			name: "heartbeat of an impossible id", method: "POST", path: "/v2/nodes/-/heartbeat", contentType: json,
			body: briefHeartbeat, status: 404, code: "unknown_node",
		},
		{
			name: "deregister nobody", method: "DELETE", path: "/v2/nodes/gpu-node-2", status: 404,
			code: "unknown_node", detail: `no node is registered as "gpu-node-2"`,
		},
		{
			name: "deregister an impossible id", method: "DELETE", path: "/v2/nodes/a%2Fb%00", status: 404,
			code: "unknown_node", detail: `"a/b\x00" names no node: an id must match`,
		},
		{
			name: "deregister an endless id", method: "DELETE", path: "/v2/nodes/" + strings.Repeat("x", 10_000),
			status: 404, code: "unknown_node", detail: "must have a length of 128 or less, not 10000",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := start(t, mockserver.WithTokens("secret"), mockserver.WithBodyLimit(limit))
			known := client.do("POST", register, briefRegistration, "Content-Type", json, "Authorization",
				"Bearer secret")
			known.expect(t, http.StatusOK)
			before := server.Nodes()

			var headers []string
			if test.contentType != "" {
				headers = append(headers, "Content-Type", test.contentType)
			}
			if !test.anonymous {
				headers = append(headers, "Authorization", "Bearer secret")
			}
			got := client.do(test.method, test.path, test.body, headers...).expect(t, test.status)

			if p := got.problem(t); p.Code != test.code || !strings.Contains(p.Detail, test.detail) {
				t.Errorf("%s: %s, want %s: %s", p.Code, p.Detail, test.code, test.detail)
			}
			if diff := cmp.Diff(test.pointers, got.pointers(t)); test.pointers != nil && diff != "" {
				t.Errorf("pointers (-want +got):\n%s", diff)
			}
			for name, want := range test.headers {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if diff := cmp.Diff(before, server.Nodes()); diff != "" {
				t.Errorf("the registry has changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	open, _ := start(t)
	locked, _ := start(t, mockserver.WithTokens("old-token"), mockserver.WithTokens("new-token", "other"))
	for _, test := range []struct {
		authorization string
		status        int
		challenge     string
	}{
		{"Bearer old-token", http.StatusOK, ""},
		{"Bearer new-token", http.StatusOK, ""},
		{"bearer other", http.StatusOK, ""},
		{"BEARER   other", http.StatusOK, ""},
		{"", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Bearer", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Bearer ", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"other", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Basic other", http.StatusUnauthorized, `Bearer realm="orchestratord"`},
		{"Bearer Other", http.StatusUnauthorized, `Bearer realm="orchestratord", error="invalid_token"`},
		{"Bearer other other", http.StatusUnauthorized, `Bearer realm="orchestratord", error="invalid_token"`},
		{"Bearer othe", http.StatusUnauthorized, `Bearer realm="orchestratord", error="invalid_token"`},
	} {
		got := locked.do("GET", "/v2/nodes", "", "Authorization", test.authorization)
		if got.StatusCode != test.status || got.Header.Get("WWW-Authenticate") != test.challenge {
			t.Errorf("%q: status %d, challenge %q", test.authorization, got.StatusCode,
				got.Header.Get("WWW-Authenticate"))
		}
		open.do("GET", "/v2/nodes", "", "Authorization", test.authorization).expect(t, http.StatusOK)
	}
}

// TestCloudProfile switches it off: invalid requests get the same answers as before, valid ones
// 503.
func TestCloudProfile(t *testing.T) {
	client, server := start(t, mockserver.WithCloudProfile(false),
		mockserver.WithHeartbeatInterval(2100*time.Millisecond))
	for _, got := range []answer{
		client.register(briefRegistration),
		client.beat("gpu-node-1", briefHeartbeat),
		client.beat("-", briefHeartbeat),
		client.deregister("gpu-node-1"),
		client.do("GET", "/v2/nodes", ""),
	} {
		if p := got.expect(t, http.StatusServiceUnavailable).problem(t); p.Code != "cloud_profile_disabled" {
			t.Errorf("code %s", p.Code)
		}
		if after := got.Header.Get("Retry-After"); after != "3" {
			t.Errorf("Retry-After %q, want the heartbeat interval in full seconds", after)
		}
	}
	client.register("{}").expect(t, http.StatusUnprocessableEntity)
	if nodes := server.Nodes(); len(nodes) != 0 {
		t.Errorf("nodes: %+v", nodes)
	}
}
