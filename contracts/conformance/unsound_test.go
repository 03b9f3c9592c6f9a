package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// unsound is a quirk that hurts nodes, and what has to be said of it.
type unsound struct {
	quirks quirks
	want   string
}

// TestUnsoundServersAreFound_heavy shows that each fault is found, and that what is said of it
// first names the culprit.
func TestUnsoundServersAreFound_heavy(t *testing.T) {
	for name, test := range shared(t,
		unsoundAnswers(), unsoundTimes(), unsoundRecords(), unsoundLikeness(), unsoundStates(), unsoundTokens(),
		unsoundPlaces(), unsoundRefusals(), unsoundLimits(), unsoundIDs(), unsoundTransport(), unsoundCaching(),
	) {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				departs(t, newForeign(token, test.quirks), conformance.Options{Token: token}, test.want)
			})
		})
	}
}

// departs runs all checks against a server, in a bubble. It fails the test unless what is found first
// has the wanted text.
func departs(t *testing.T, server http.Handler, o conformance.Options, want string) {
	t.Helper()
	o.URL, o.Dial, o.FirstOnly = memnet.URL, memnet.Serve(t, server), true
	report, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Conforms() {
		t.Fatal("nothing was found")
	}
	if found := report.Findings[0].String(); !strings.Contains(found, want) {
		t.Errorf("not %q, but: %s", want, found)
	}
}

// unsoundAnswers break the document where no node looks.
func unsoundAnswers() map[string]unsound {
	shows := func(change func([]foreignNode) ([]foreignNode, int)) quirks { return quirks{shows: change} }
	return map[string]unsound{
		"an empty id": {
			quirks{registers: map[string]any{"node_id": ""}},
			"registerNode: 200 body/node_id: expected 1 character or more",
		},
		"empty ids in the list": {
			shows(each(func(n *foreignNode) { n.ID = "" })),
			"listNodes: 200 body/nodes/*/node_id: expected 1 character or more",
		},
		"one too many": {shows(func(nodes []foreignNode) ([]foreignNode, int) {
			return nodes, len(nodes) + 1
		}), "listNodes: 200 body/count: expected the number of nodes"},
		"a count of -1": {shows(func(nodes []foreignNode) ([]foreignNode, int) {
			return nodes, -1
		}), "listNodes: 200 body/count: expected 0 or more"},
		"each node twice": {shows(func(nodes []foreignNode) ([]foreignNode, int) {
			return append(nodes, nodes...), 2 * len(nodes)
		}), "listNodes: 200 body/nodes: expected each node once"},
		"a broken second node": {shows(func(nodes []foreignNode) ([]foreignNode, int) {
			if len(nodes) > 1 {
				nodes[1].Address = "somewhere"
			}
			return nodes, len(nodes)
		}), "listNodes: 200 body/nodes/*/address: "},
	}
}

// unsoundTokens let in who must stay out.
func unsoundTokens() map[string]unsound {
	accepts := func(valid func(given, token string) bool) quirks {
		return quirks{accepts: func(r *http.Request, token string) bool {
			given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			return ok && valid(given, token)
		}}
	}
	return map[string]unsound{
		"a token with a suffix": {
			accepts(func(given, token string) bool { return strings.HasPrefix(given, token) }),
			"deregisterNode: status with a token with a character more: expected 401, got 204",
		},
		"a token that is cut off": {
			accepts(func(given, token string) bool { return given != "" && strings.HasPrefix(token, given) }),
			"deregisterNode: status with a token without its last character: expected 401, got 204",
		},
		"any token of the right length": {
			accepts(func(given, token string) bool { return len(given) == len(token) }),
			"deregisterNode: status with another token of the same length: expected 401, got 204",
		},
		"a token in quotes": {
			accepts(func(given, token string) bool { return strings.Trim(given, `"`) == token }),
			`deregisterNode: status with a token spelt "token": expected 401, got 204`,
		},
		"a token up to a colon": {
			accepts(func(given, token string) bool { given, _, _ = strings.Cut(given, ":"); return given == token }),
			"deregisterNode: status with a token spelt token:x: expected 401, got 204",
		},
		"a token with escapes": {
			accepts(func(given, token string) bool { given, _ = url.PathUnescape(given); return given == token }),
			"deregisterNode: status with a token whose first character is escaped: expected 401, got 204",
		},
		"a list without a token": {quirks{accepts: func(r *http.Request, token string) bool {
			return r.Method == http.MethodGet || r.Header.Get("Authorization") == "Bearer "+token
		}}, "listNodes: status with no token: expected 401, got 200"},
	}
}

// unsoundPlaces find a token where none belongs.
func unsoundPlaces() map[string]unsound {
	return map[string]unsound{
		"an empty header": {quirks{accepts: func(r *http.Request, token string) bool {
			given := r.Header["Authorization"]
			return len(given) == 1 && (given[0] == "" || given[0] == "Bearer "+token)
		}}, "deregisterNode: status with an empty header: expected 401, got 204"},
		"any of several headers": {quirks{accepts: func(r *http.Request, token string) bool {
			return slices.Contains(r.Header["Authorization"], "Bearer "+token)
		}}, "deregisterNode: status with a wrong token before the right one: expected 401 or 400, got 204"},
		"a token in a cookie": {quirks{accepts: func(r *http.Request, token string) bool {
			cookie, err := r.Cookie("session")
			return err == nil && cookie.Value == token || r.Header.Get("Authorization") == "Bearer "+token
		}}, "deregisterNode: status with the token in Cookie: expected 401, got 204"},
		"a key instead of a wrong token": {quirks{accepts: func(r *http.Request, token string) bool {
			given := r.Header.Get("Authorization")
			return given != "" && r.Header.Get("X-Api-Key") == token || given == "Bearer "+token
		}}, "deregisterNode: status with a wrong token, and the right one in X-Api-Key: expected 401, got 204"},
		"any token of a scheme in small letters": {quirks{accepts: func(r *http.Request, token string) bool {
			given := r.Header.Get("Authorization")
			return strings.HasPrefix(given, "bearer ") || given == "Bearer "+token
		}}, "deregisterNode: status with a wrong token of the scheme bearer: expected 401, got 204"},
		"no token where a path has a slash more": {quirks{accepts: func(r *http.Request, token string) bool {
			trimmed := strings.TrimSuffix(r.URL.Path, "/")
			open := trimmed != r.URL.Path
			r.URL.Path = trimmed
			return open || r.Header.Get("Authorization") == "Bearer "+token
		}}, "with no token, and the path spelt /v2/nodes"},
		"a list without a token after a slash": {quirks{accepts: func(r *http.Request, token string) bool {
			trimmed := strings.TrimSuffix(r.URL.Path, "/")
			open := trimmed != r.URL.Path && r.Method == http.MethodGet
			r.URL.Path = trimmed
			return open || r.Header.Get("Authorization") == "Bearer "+token
		}}, "listNodes: status with no token, and the path spelt /v2/nodes/: expected 401, or another refusal"},
		"a token in the query": {quirks{accepts: func(r *http.Request, token string) bool {
			return r.Header.Get("Authorization") == "Bearer "+token || r.URL.Query().Get("access_token") == token
		}}, "deregisterNode: status with the token in the query: expected 401, got 204"},
	}
}

// unsoundRefusals refuse what nodes may send.
func unsoundRefusals() map[string]unsound {
	odd := func(call string, status int, odd func(body map[string]any, size int) bool) quirks {
		return quirks{refuses: refusing(call, status, odd)}
	}
	says := func(body map[string]any, field string) string { return fmt.Sprint(body[field]) }
	return map[string]unsound{
		"unknown fields": {
			odd("/register", 422, func(body map[string]any, _ int) bool { return body["x-unknown"] != nil }),
			"registerNode: status with /x-unknown: unknown field: expected 200, got 422",
		},
		"unknown fields of a pool": {
			odd("/heartbeat", 422, func(body map[string]any, _ int) bool {
				return strings.Contains(says(body, "pools"), "x-unknown")
			}),
			"heartbeatNode: status with /pools/*/x-unknown: unknown field: expected 200, got 422",
		},
	}
}

// unsoundLimits refuse what is longer, larger or more than they are used to.
func unsoundLimits() map[string]unsound {
	odd := func(status int, odd func(body map[string]any, size int) bool) quirks {
		return quirks{refuses: refusing("/register", status, odd)}
	}
	says := func(body map[string]any, field string) string { return fmt.Sprint(body[field]) }
	return map[string]unsound{
		"long ids": {
			odd(422, func(body map[string]any, _ int) bool { return len(says(body, "node_id")) > 64 }),
			"registerNode: status with the id conform-",
		},
		"addresses with names": {
			odd(422, func(body map[string]any, _ int) bool {
				return strings.Contains(says(body, "address"), ".com")
			}),
			"registerNode: status with /address: format uri https://node.example.com: expected 200, got 422",
		},
		"many pools": {
			odd(422, func(body map[string]any, _ int) bool {
				return strings.Count(says(body, "pools"), " ") > 16
			}),
			"registerNode: status with /pools: maxItems",
		},
		"large bodies": {
			odd(413, func(_ map[string]any, size int) bool { return size > 512<<10 }),
			"registerNode: status with /x-large: body of 1048576 bytes: expected 200, got 413",
		},
		"huge bodies by closing the connection": {quirks{refuses: func(_ *http.Request, body []byte) int {
			if len(body) > 2<<20 {
				panic(http.ErrAbortHandler)
			}
			return 0
		}}, "registerNode: answer with a body of 4194304 bytes: expected one, such as 413, got none: "},
		"traces": {quirks{refuses: func(r *http.Request, _ []byte) int {
			return len(r.Header["Traceparent"]) * http.StatusBadRequest
		}}, "with Traceparent 00-4bf92f"},
	}
}

// refusing refuses the bodies of one call that have something odd about them.
func refusing(call string, status int, odd func(body map[string]any, size int) bool) func(*http.Request, []byte) int {
	return func(r *http.Request, text []byte) int {
		var body map[string]any
		if !strings.HasSuffix(r.URL.Path, call) || json.Unmarshal(text, &body) != nil || !odd(body, len(text)) {
			return 0
		}
		return status
	}
}

// unsoundCaching let caches keep the list, though calls carry a token.
func unsoundCaching() map[string]unsound {
	says := func(header string, lines ...string) unsound {
		q := quirks{header: http.Header{"Cache-Control": {"must-revalidate"}, header: lines}}
		return unsound{q, keptBy(header, strings.Join(lines, ", "))}
	}
	return map[string]unsound{
		"a list to keep until its end":    says("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
		"a list to keep by a second line": says("Cache-Control", "must-revalidate", "max-age=60"),
		"a list to keep for all":          says("Cache-Control", "public, max-age=60"),
	}
}

// keptBy is what has to be said of a list that caches may keep.
func keptBy(header, value string) string {
	return fmt.Sprintf("listNodes: 200 header %s: expected none that lets a cache keep the list, got %q", header, value)
}

// TestListsToKeepAreFound has lists that caches may keep because calls carry no token.
func TestListsToKeepAreFound(t *testing.T) {
	anyone := func(*http.Request, string) bool { return true }
	for header, value := range map[string]string{
		"Cache-Control": "max-age=5", "Expires": "Thu, 01 Jan 2099 00:00:00 GMT",
	} {
		t.Run(header, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server := newForeign("", quirks{accepts: anyone, header: http.Header{header: {value}}})
				departs(t, server, conformance.Options{}, keptBy(header, value))
			})
		})
	}
}

// unsoundTransport answer in ways that no node understands.
func unsoundTransport() map[string]unsound {
	return map[string]unsound{
		"compression that nobody asked for": {
			quirks{zipped: true}, "listNodes: header Content-Encoding: expected none",
		},
		"a huge answer": {
			quirks{padding: 1 << 20}, "registerNode: length of the body: expected 65536 bytes at most",
		},
		"no answer to null": {quirks{refuses: func(_ *http.Request, text []byte) int {
			if strings.Contains(string(text), `"version":null`) {
				panic(http.ErrAbortHandler)
			}
			return 0
		}}, "registerNode: answer with /version: null: expected one, and all of it, within 10s, got "},
	}
}
