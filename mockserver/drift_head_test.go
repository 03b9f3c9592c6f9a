package mockserver_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
)

// TestDriftOfRequests_heavy departs from the contract by everything but the fields of a body. It
// is drift in both modes that look for it, whether the request is refused or not.
func TestDriftOfRequests_heavy(t *testing.T) {
	race.Skip(t)
	const (
		post, register, beat, list = "POST", "/v2/nodes/register", "/v2/nodes/gpu-node-1/heartbeat", "/v2/nodes"

		json, media, encoding = "application/json", "Content-Type", "Content-Encoding"
	)
	node := withFields(`"node_id": "gpu-node-1", "node\u005fid": "gpu-node-1"`, briefRegistration)
	pools := strings.ReplaceAll(briefHeartbeat, `"ready": true`,
		`"ready": true, "ready": false, "engine": null, "engine": null, "slots_free": 4}, {"pool_id": "pool-1",`+
			`"ready": true, "ready": false`)
	for _, test := range []struct {
		name         string
		method, path string
		body         string
		header       []string
		status       int
		drift        []string
	}{
		{
			"older path", post, "/v1/nodes", "", nil, 404,
			[]string{
				`no operation at "/v1/nodes": must be a path that the contract names, perhaps "/v2/nodes" (got ` +
					`"POST /v1/nodes")`,
			},
		},
		{
			"misspelt path", "GET", "/v2/node", "", nil, 404,
			[]string{
				`no operation at "/v2/node": must be a path that the contract names, perhaps "/v2/nodes" (got "GET /` +
					`v2/node")`,
			},
		},
		{
			"an odd spelling", "GET", "/%76%32/nodes", "", nil, 404,
			[]string{
				`no operation at "/%76%32/nodes": must be a path that the contract names (got "GET /%76%32/nodes")`,
			},
		},
		{
			"another path", "GET", "/nowhere", "", nil, 404,
			[]string{`no operation at "/nowhere": must be a path that the contract names (got "GET /nowhere")`},
		},
		{
			"no id", post, "/v2/nodes//heartbeat", briefHeartbeat,
			[]string{media, json},
			404,
			[]string{
				`heartbeatNode at "/v2/nodes//heartbeat": must be a path that the contract names, perhaps "/v2/` +
					`nodes/{id}/heartbeat" (got "POST /v2/nodes//heartbeat")`,
			},
		},
		{
			"impossible id", "DELETE", "/v2/nodes/-", "", nil, 404,
			[]string{
				`deregisterNode at "/v2/nodes/{id}": its id must match ^[A-Za-z0-9][A-Za-z0-9._:-]*$, as ` +
					`"gpu-node-1" does (got "-")`,
			},
		},
		{
			"id that is escaped twice", "DELETE", "/v2/nodes/%252D", "", nil, 404,
			[]string{
				`deregisterNode at "/v2/nodes/{id}": its id must match ^[A-Za-z0-9][A-Za-z0-9._:-]*$, as ` +
					`"gpu-node-1" does (got "%2D")`,
			},
		},
		{
			"method", "PUT", beat, briefHeartbeat,
			[]string{media, json},
			405,
			[]string{`no operation at "/v2/nodes/{id}/heartbeat": must be POST (got "PUT")`},
		},
		{
			"method of another", "GET", register, "", nil, 405,
			[]string{`no operation at "/v2/nodes/register": must be DELETE or POST (got "GET")`},
		},
		{
			"unheard-of method", "FOO", list, "", nil, 405,
			[]string{`no operation at "/v2/nodes": must be GET (got "FOO")`},
		},
		{"query", "GET", list + "?status=Online&limit=3", "", nil, 200, []string{
			`listNodes at "?limit": must be a parameter that the contract names (got "limit")`,
			`listNodes at "?status": must be a parameter that the contract names (got "status")`,
		}},
		{
			"broken query", "GET", list + "?%zz&limit=3", "", nil, 200,
			[]string{
				`listNodes at "?": must be a query (got something else)`,
				`listNodes at "?limit": must be a parameter that the contract names (got "limit")`,
			},
		},

		{
			"text", post, register, briefRegistration,
			[]string{media, "text/plain"},
			415,
			[]string{`registerNode at "Content-Type": must be application/json (got "text/plain")`},
		},
		{
			"no content type", post, register, briefRegistration, nil, 415,
			[]string{`registerNode at "Content-Type": must be application/json (got nothing)`},
		},
		{
			"two content types", post, register, briefRegistration,
			[]string{media, json, media, json},
			415,
			[]string{
				`registerNode at "Content-Type": must be application/json (got "application/json" and "application/` +
					`json")`,
			},
		},
		{
			"UTF-16", post, register, briefRegistration,
			[]string{media, "application/json; charset=utf-16"},
			415,
			[]string{
				`registerNode at "Content-Type": must be application/json in UTF-8 (got "application/json; ` +
					`charset=utf-16")`,
			},
		},
		{
			"Latin-1", post, beat, briefHeartbeat,
			[]string{media, "application/json;charset=ISO-8859-1"},
			415,
			[]string{
				`heartbeatNode at "Content-Type": must be application/json in UTF-8 (got "application/` +
					`json;charset=ISO-8859-1")`,
			},
		},
		{
			"compressed", post, register, briefRegistration,
			[]string{media, json, encoding, "gzip"},
			415,
			[]string{`registerNode at "Content-Encoding": must be the body as it is, without one (got "gzip")`},
		},
		{
			"compressed after all", post, beat, briefHeartbeat,
			[]string{media, json, encoding, "identity", encoding, "br"},
			415,
			[]string{
				`heartbeatNode at "Content-Encoding": must be the body as it is, without one (got "identity" and "br")`,
			},
		},
		{
			"compressed nothing", "GET", list, "",
			[]string{encoding, "gzip"},
			200,
			[]string{`listNodes at "Content-Encoding": must be the body as it is, without one (got "gzip")`},
		},

		{
			"nothing", post, register, "",
			[]string{media, json},
			400,
			[]string{`registerNode at "": must be JSON (got nothing)`},
		},
		{
			"not JSON", post, beat, "{",
			[]string{media, json},
			400,
			[]string{`heartbeatNode at "": must be JSON (got unexpected end of JSON input, at byte 1)`},
		},
		{
			"byte order mark", post, beat, "\ufeff" + briefHeartbeat,
			[]string{media, json},
			400,
			[]string{
				`heartbeatNode at "": must be JSON (got the text begins with a byte order mark of UTF-8, which JSON ` +
					`must not)`,
			},
		},
		{
			"UTF-16 all the same", post, beat, "\xff\xfe{\x00}\x00",
			[]string{media, json},
			400,
			[]string{
				`heartbeatNode at "": must be JSON (got the text begins with a byte order mark of UTF-16, which ` +
					`JSON must not)`,
			},
		},
		{
			"UTF-16, the other way round", post, beat, "\xfe\xff\x00{\x00}",
			[]string{media, json},
			400,
			[]string{
				`heartbeatNode at "": must be JSON (got the text begins with a byte order mark of UTF-16, which ` +
					`JSON must not)`,
			},
		},
		{
			"undue body", "DELETE", "/v2/nodes/gpu-node-1", "{}", nil, 204,
			[]string{`deregisterNode at "": must have no body (got one)`},
		},
		{
			"a field twice", post, register, node,
			[]string{media, json},
			200,
			[]string{`registerNode at "/node_id": must be there once (got more than one, the last one counts)`},
		},
		{"fields of a pool twice", post, beat, pools, []string{media, json}, 200, []string{
			`heartbeatNode at "/pools/*/engine": must be there once (got more than one, the last one counts)`,
			`heartbeatNode at "/pools/*/ready": must be there once (got more than one, the last one counts)`,
		}},

		{
			"Basic", "GET", list, "",
			[]string{"Authorization", "Basic aHVzaDpodXNo"},
			200,
			[]string{`listNodes at "Authorization": must be Bearer and a token, once (got Basic)`},
		},
		{
			"bare token", "GET", list, "",
			[]string{"Authorization", "hush-hush"},
			200,
			[]string{`listNodes at "Authorization": must be Bearer and a token, once (got something else)`},
		},
		{
			"two tokens", "GET", list, "",
			[]string{"Authorization", "Bearer hush", "Authorization", "Bearer hush"},
			200,
			[]string{`listNodes at "Authorization": must be Bearer and a token, once (got 2 times)`},
		},
		{
			"two correlation ids", "GET", list, "",
			[]string{"X-Correlation-Id", "call-1", "X-Correlation-Id", "call-2"},
			200,
			[]string{`listNodes at "X-Correlation-Id": must be there once (got 2 times)`},
		},
		{
			"correlation id", "GET", list, "",
			[]string{"X-Correlation-Id", "a b"},
			200,
			[]string{
				`listNodes at "X-Correlation-Id": must match ^[A-Za-z0-9][A-Za-z0-9._:-]*$, as "gpu-node-1" does ` +
					`(got "a b")`,
			},
		},

		{
			"parameter of a content type", post, beat, briefHeartbeat,
			[]string{media, "application/json; charset=UTF-8"},
			200,
			[]string{},
		},
		{
			"no encoding", post, beat, briefHeartbeat,
			[]string{media, json, encoding, "identity", encoding, "Identity"},
			200,
			[]string{},
		},
		{"token where none is needed", "GET", list, "", []string{"Authorization", "bearer hush"}, 200, []string{}},
		{"own page, by another method", post, "/healthz", "", nil, 405, []string{}},
		{
			"icon that a browser asks for", "GET", "/favicon.ico", "",
			[]string{"Sec-Fetch-Dest", "image"},
			404,
			[]string{},
		},
		{
			"program in a page", "GET", "/nowhere", "",
			[]string{"Sec-Fetch-Dest", "empty"},
			404,
			[]string{`no operation at "/nowhere": must be a path that the contract names (got "GET /nowhere")`},
		},
		{"control API", "GET", "/__mock/nowhere", "", nil, 404, []string{}},
		{
			"unknown node", post, "/v2/nodes/gpu-node-2/heartbeat", briefHeartbeat,
			[]string{media, json},
			404,
			[]string{},
		},
	} {
		for _, mode := range []mockserver.Validation{mockserver.Strict, mockserver.Report} {
			t.Run(test.name+"/"+string(mode), func(t *testing.T) {
				client, server := start(t, mockserver.WithValidation(mode))
				client.register(briefRegistration).expect(t, http.StatusOK)
				got := client.do(test.method, test.path, test.body, test.header...).expect(t, test.status)
				if diff := cmp.Diff(test.drift, drifted(server)); diff != "" {
					t.Errorf("drift (-want +got):\n%s", diff)
				}
				for _, entry := range server.Drift().Entries {
					if entry.Requests != 1 {
						t.Errorf("%s counts as %d requests", entry.Departure, entry.Requests)
					}
				}
				drift := client.do("GET", "/__mock/drift", "").expect(t, http.StatusOK)
				if len(test.drift) > 0 &&
					!strings.Contains(string(client.do("GET", "/__mock/journal", "").text), `"departures"`) {
					t.Error("the journal has no departures")
				}
				if strings.Contains(string(drift.text)+string(got.text), "hush") {
					t.Errorf("credentials are repeated: %s", drift.text)
				}
			})
		}
	}
}

// TestDriftOfOddTexts_heavy departs by texts that are long and grow when they are shown. The control API
// says of all what its document lets it say.
func TestDriftOfOddTexts_heavy(t *testing.T) {
	race.Skip(t)
	const register = "/v2/nodes/register"
	for _, text := range []string{
		strings.Repeat("\U000E0041", 128), strings.Repeat("\U000E0041", 1500), strings.Repeat("\x9b", 900),
		strings.Repeat("\u202e\\n", 300), strings.Repeat("::error ##[x]", 200),
	} {
		client, server := start(t, mockserver.WithValidation(mockserver.Report))
		client.docs = nil // answers may be any
		escaped := url.QueryEscape(text)
		client.do("GET", "/v2/nodes?"+escaped+"=1", "")
		client.do("DELETE", "/v2/nodes/"+escaped, "")
		client.do("GET", "/"+escaped, "")
		client.do("POST", register, briefRegistration, "Content-Type", text)
		client.do("POST", register, briefRegistration, "Content-Encoding", text)
		client.do("POST", register, briefRegistration, "X-Correlation-Id", text)
		client.do("GET", "/v2/nodes", "", "Authorization", text)
		odd := map[string]any{text: text, "node_id": text, "machine_id": text, "address": text, "version": text}
		body, err := json.Marshal(odd)
		if err != nil {
			t.Fatal(err)
		}
		client.register(string(body))
		client.do("GET", "/__mock/drift", "").expect(t, http.StatusOK)
		if got := len(server.Drift().Entries); got < 10 {
			t.Errorf("%.20q: %d departures were noted", text, got)
		}
	}
}

// TestDriftIsNotLookedFor departs from the contract while nobody looks. What cannot be read
// is refused nevertheless.
func TestDriftIsNotLookedFor(t *testing.T) {
	client, server := start(t, mockserver.WithValidation(mockserver.Off))
	client.docs = nil // answers may be any
	client.do("GET", "/v1/nodes", "").expect(t, http.StatusNotFound)
	client.do("PUT", "/v2/nodes", "").expect(t, http.StatusMethodNotAllowed)
	client.do("GET", "/v2/nodes?a=b", "", "Authorization", "Basic x").expect(t, http.StatusOK)
	client.do("POST", "/v2/nodes/register", briefRegistration, "Content-Type", "text/plain").expect(t, http.StatusOK)
	client.do("POST", "/v2/nodes/register", "{").expect(t, http.StatusBadRequest)
	client.do("POST", "/v2/nodes/register", briefRegistration, "Content-Encoding", "gzip").expect(t,
		http.StatusUnsupportedMediaType)
	if got := drifted(server); len(got) > 0 {
		t.Errorf("drift: %v", got)
	}
}
