package mockserver_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
)

func refusesInService(t *testing.T) {
	const register, heartbeat = "/v2/nodes/register", "/v2/nodes/gpu-node-1/heartbeat"
	open, closed := inService(t), inService(t, mockserver.WithTokens("secret"))
	off := inService(t, mockserver.WithCloudProfile(false))
	tests := map[string]struct {
		at           *service
		method, path string
		body         string
		header       string
		status       int
		contentType  string
		text         string // what the body begins with; "-" for no body
	}{
		"401":                 {closed, "POST", register, rustRegistration, "", 401, "", "-"},
		"401 before all else": {closed, "POST", register, "{", "Content-Type: text/xml", 401, "", "-"},
		"415": {
			open, "POST", register, rustRegistration, "Content-Type: text/plain", 415, "text/plain; charset=utf-8",
			"Expected request with `Content-Type: application/json`",
		},
		"415 for JSON of nothing": {
			open, "POST", register, rustRegistration, "Content-Type: application/+json", 415,
			"text/plain; charset=utf-8", "Expected request with",
		},
		"415 before 400": {
			open, "POST", register, "{", "Content-Type: text/plain", 415, "text/plain; charset=utf-8", "",
		},
		"400": {
			open, "POST", register, "{", "", 400, "text/plain; charset=utf-8",
			"Failed to parse the request body as JSON",
		},
		"422": {
			open, "POST", register, `{"pools":[]}`, "", 422, "text/plain; charset=utf-8",
			"Failed to deserialize the JSON body into the target type",
		},
		"422 before 503": {off, "POST", register, `{"pools":[]}`, "", 422, "text/plain; charset=utf-8", ""},
		"422 before 404": {open, "POST", heartbeat, briefHeartbeat, "", 422, "text/plain; charset=utf-8", ""},
		"404 of a heartbeat": {
			open, "POST", heartbeat, rustHeartbeat, "", 404, "application/json",
			`{"success":false,"next_heartbeat_ms":10000}`,
		},
		"404 of a deregistration": {open, "DELETE", "/v2/nodes/gpu-node-1", "", "", 404, "", "-"},
		"503 of a registration": {
			off, "POST", register, rustRegistration, "", 503, "application/json",
			`{"success":false,"message":"Cloud profile not enabled. Set ORCHESTRATORD_CLOUD_PROFILE=true",` +
				`"node_id":"gpu-node-1"}`,
		},
		"503 before 404": {
			off, "POST", heartbeat, rustHeartbeat, "", 503, "application/json",
			`{"success":false,"next_heartbeat_ms":10000}`,
		},
		"503 of a deregistration": {off, "DELETE", "/v2/nodes/gpu-node-1", "", "", 503, "", "-"},
		"503 of a list": {
			off, "GET", "/v2/nodes", "", "", 503, "application/json", `{"error":"Cloud profile not enabled"}`,
		},
		"405":                                    {open, "PUT", register, "", "", 405, "", "-"},
		"405 where the path of a node would fit": {open, "DELETE", register, "", "", 405, "", "-"},
		"400 of an id that is not UTF-8": {
			open, "POST", "/v2/nodes/%ff/heartbeat", "", "", 400, "text/plain; charset=utf-8",
			"Invalid URL: Invalid UTF-8 in `id`",
		},
		"400 of an id that is not UTF-8, to deregister": {
			open, "DELETE", "/v2/nodes/%c3%28", "", "", 400, "text/plain; charset=utf-8",
			"Invalid URL: Invalid UTF-8 in `id`",
		},
		"404 of a path":         {open, "GET", "/v2/node", "", "", 404, "", "-"},
		"401 before 404":        {closed, "GET", "/v2/node", "", "", 401, "", "-"},
		"401 before 405":        {closed, "PUT", register, "", "", 401, "", "-"},
		"401 of another scheme": {closed, "GET", "/v2/nodes", "", "Authorization: bearer secret", 401, "", "-"},
		"400 before 413":        {open, "POST", register, tooLong("{"), "", 400, "text/plain; charset=utf-8", ""},
		"422 before 413": {
			open, "POST", register, tooLong(`{"pools":[]}`), "", 422, "text/plain; charset=utf-8", "",
		},
		"413 before 503": {
			off, "POST", register, tooLong(rustRegistration), "", 413, "text/plain; charset=utf-8",
			"Failed to buffer the request body: length limit exceeded",
		},
		"413 before 404": {open, "POST", heartbeat, tooLong(rustHeartbeat), "", 413, "text/plain; charset=utf-8", ""},
		"413 of a body that nobody reads": {
			open, "POST", register, tooLong(tooLong("{")), "", 413, "text/plain; charset=utf-8", "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if len(test.body) > 1<<20 {
				race.Skip(t)
			}
			s := &service{test.at.Server, t, test.at.url, test.at.clock}
			headers := []string{"X-Correlation-Id: call-1"}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			got := s.call(test.method, test.path, test.body, headers...)
			if got.StatusCode != test.status || got.Header.Get("Content-Type") != test.contentType {
				t.Errorf("answered %d with %q, want %d with %q", got.StatusCode, got.Header.Get("Content-Type"),
					test.status, test.contentType)
			}
			good := strings.HasPrefix(got.text, test.text)
			switch {
			case test.text == "-":
				good = got.text == ""
			case test.contentType == "application/json":
				good = sameJSON(t, got.text, test.text)
			}
			if !good {
				t.Errorf("body: %s, want %s", got.text, test.text)
			}
			wantID := "call-1"
			if test.status == 401 {
				wantID = ""
			}
			if id := got.Header.Get("X-Correlation-Id"); id != wantID {
				t.Errorf("correlation id: %q, want %q", id, wantID)
			}
			for _, name := range []string{
				"Www-Authenticate", "Retry-After", "Accept-Encoding",
				"X-Content-Type-Options",
			} {
				if value := got.Header.Get(name); value != "" {
					t.Errorf("%s: %s", name, value)
				}
			}
		})
	}
}

func refusesTheBrief(t *testing.T) {
	s := inService(t)
	const refused = "Failed to deserialize the JSON body into the target type: "
	want := refused + "capabilities: missing field `gpus` at line 10 column 3"
	if got := s.must(422, "POST", "/v2/nodes/register", briefRegistration); got.text != want {
		t.Errorf("register: %s, want %s", got.text, want)
	}
	s.register()
	want = refused + "pools[0]: missing field `draining` at line 8 column 5"
	if got := s.must(422, "POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat); got.text != want {
		t.Errorf("heartbeat: %s, want %s", got.text, want)
	}
	for _, field := range []string{"pool_id", "ready", "draining", "slots_free", "slots_total", "vram_free_bytes"} {
		lacking := regexp.MustCompile(`"`+field+`":[^,]*,`).ReplaceAllString(rustHeartbeat, "")
		got := s.must(422, "POST", "/v2/nodes/gpu-node-1/heartbeat", lacking)
		want := fmt.Sprintf("pools[0]: missing field `%s` at line 1 column %d", field, len(lacking)-len("]}"))
		if !strings.HasSuffix(got.text, want) {
			t.Errorf("heartbeat: %s, want %s", got.text, want)
		}
	}
}

// tooLong puts spaces of more than 2 MiB behind a body.
func tooLong(body string) string { return body + strings.Repeat(" ", 2<<20) }

// TestReasonsInService has calls fail for other reasons than the cloud profile. The answers have them.
func TestReasonsInService(t *testing.T) {
	const detail = `my "words"`
	for call, want := range map[string]map[string]string{
		"POST /v2/nodes/register": {
			"429 500 503 404": `{"success":false,"message":"my \"words\"","node_id":"gpu-node-1"}`,
			"400 413 415 422": detail,
		},
		"POST /v2/nodes/gpu-node-1/heartbeat": {"404 429 500 503": `{"success":false,"next_heartbeat_ms":10000}`},
		"DELETE /v2/nodes/gpu-node-1":         {"404 429 500 503": ""},
		"GET /v2/nodes":                       {"404 429 500 503": `{"error":"my \"words\""}`},
	} {
		method, path, _ := strings.Cut(call, " ")
		body := map[bool]string{true: rustRegistration}[strings.HasSuffix(path, "register")]
		for statuses, want := range want {
			for code := range strings.FieldsSeq(statuses) {
				status, _ := strconv.Atoi(code)
				s := inService(t, mockserver.WithFaults(map[string]control.FaultDefinition{"it": {
					Rules: []control.FaultRule{{
						Effect: control.FaultEffect{Status: new(int32(status)), Detail: new(detail)},
					}},
				}}))
				got := s.must(status, method, path, body).text
				if got != want && (!strings.HasPrefix(want, "{") || !sameJSON(t, got, want)) {
					t.Errorf("%s with a fault of %d: %s, want %s", call, status, got, want)
				}
			}
		}
	}
	full := inService(t, mockserver.WithMaxNodes(1))
	full.register()
	got := full.must(503, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "gpu-node-1", "b", 1))
	if !strings.Contains(got.text, "as many nodes are registered as this orchestratord takes") {
		t.Errorf("beyond the limit: %s", got.text)
	}
}
