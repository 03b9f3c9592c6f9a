package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

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

// unsoundTimes are off where each by itself may be right.
func unsoundTimes() map[string]unsound {
	shows := func(change func([]foreignNode) ([]foreignNode, int)) quirks { return quirks{shows: change} }
	seconds := func(n *foreignNode) {
		n.Registered /= 1000
		if n.Beaten != nil {
			at := *n.Beaten / 1000
			n.Beaten = &at
		}
	}
	zone := func(n *foreignNode) {
		n.Registered += time.Hour.Milliseconds()
		if n.Beaten != nil {
			at := *n.Beaten + time.Hour.Milliseconds()
			n.Beaten = &at
		}
	}
	return map[string]unsound{
		"times in seconds": {
			shows(each(seconds)), "listNodes: time of the last heartbeat: expected milliseconds since 1970",
		},
		"times of another zone": {
			shows(each(zone)), "of a node: expected milliseconds since 1970, in UTC like the header Date",
		},
		"the next heartbeat after the node is offline": {
			quirks{next: time.Hour.Milliseconds()},
			"heartbeatNode: 200 body/next_heartbeat_ms: expected less than the node timeout",
		},
		"the next heartbeat as a point": {
			quirks{next: time.Now().UnixMilli()},
			"heartbeatNode: 200 body/next_heartbeat_ms: expected 86400000 or less",
		},
	}
}

// unsoundRecords keep what a node has said before.
func unsoundRecords() map[string]unsound {
	keeps := func(change func(old, fresh *foreignNode)) quirks {
		return quirks{known: func(old, fresh *foreignNode) int { change(old, fresh); return 0 }}
	}
	return map[string]unsound{
		"a conflict when a node comes again": {
			quirks{known: func(_, _ *foreignNode) int { return http.StatusConflict }},
			"registerNode: status of a registration: expected 200, got 409",
		},
		"a conflict when a node comes from elsewhere": {quirks{known: func(old, fresh *foreignNode) int {
			if old.Address != fresh.Address {
				return http.StatusConflict
			}
			return 0
		}}, "registerNode: status of a registration from another machine and address: expected 200, got 409"},
		"the old record": {
			keeps(func(old, fresh *foreignNode) { *fresh = *old }),
			"listNodes: status of a node that has sent no heartbeat since it registered: ",
		},
		"the old address": {
			keeps(func(old, fresh *foreignNode) { fresh.Address = old.Address }),
			"listNodes: address of a node: expected what it last registered",
		},
		"the old pools": {keeps(func(old, fresh *foreignNode) {
			fresh.Pools = slices.Compact(slices.Sorted(slices.Values(append(old.Pools, fresh.Pools...))))
		}), "listNodes: pools of a node: expected those that it last registered"},
		"the time of the first registration": {
			keeps(func(old, fresh *foreignNode) { fresh.Registered = old.Registered }),
			"listNodes: time of the registration of a node: ",
		},
	}
}

// unsoundLikeness take for the same what only looks alike.
func unsoundLikeness() map[string]unsound {
	keeps := func(change func(old, fresh *foreignNode)) quirks {
		return quirks{known: func(old, fresh *foreignNode) int { change(old, fresh); return 0 }}
	}
	times := map[string]int64{}
	return map[string]unsound{
		"the old capabilities where the pools are the same": {
			keeps(func(old, fresh *foreignNode) {
				if slices.Equal(old.Pools, fresh.Pools) {
					fresh.Capabilities = old.Capabilities
				}
			}),
			"listNodes: capabilities/",
		},
		"one of pools that differ in case": {
			keeps(func(_, fresh *foreignNode) {
				twin := func(pool string) bool { return pool == "Pool-1" }
				fresh.Pools = slices.DeleteFunc(slices.Clone(fresh.Pools), twin)
			}),
			"listNodes: pools of a node: expected those that it last registered",
		},
		"ids without the dot at their end": {
			quirks{key: func(id string) string { return strings.TrimSuffix(id, ".") }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids without the hyphen at their end": {
			quirks{key: func(id string) string { return strings.TrimSuffix(id, "-") }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids by their end": {
			quirks{key: func(id string) string { return id[max(0, len(id)-64):] }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids without their middle": {
			quirks{key: func(id string) string { return id[:min(64, len(id))] + id[max(0, len(id)-32):] }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids by their beginning": {
			quirks{key: func(id string) string { return id[:min(63, len(id))] }},
			"listNodes: status of a node that has sent no heartbeat since it registered: expected Registering",
		},
		"ids by what follows their last colon": {
			quirks{key: func(id string) string { return id[strings.LastIndex(id, ":")+1:] }},
			"listNodes: status of a node that has sent no heartbeat since it registered: expected Registering",
		},
		"ids without the zeros before a number": {
			quirks{key: func(id string) string { return strings.ReplaceAll(id, "-0", "-") }},
			"listNodes: status of a node that has sent no heartbeat since it registered: expected Registering",
		},
		"the time of the registration before it left": {quirks{
			leaves: func(f *foreign, id string) { times[id] = f.nodes[id].Registered; delete(f.nodes, id) },
			shows: each(func(n *foreignNode) {
				if at, was := times[n.ID]; was {
					n.Registered = at
				}
			}),
		}, "listNodes: time of the registration of a node: "},
	}
}

// unsoundStates do something else than they were called for.
func unsoundStates() map[string]unsound {
	beats := func(change func(f *foreign, id string, at int64)) quirks {
		return quirks{beats: func(f *foreign, id string, at time.Time) { change(f, id, at.UnixMilli()) }}
	}
	gone := map[string]bool{}
	return map[string]unsound{
		"no heartbeat recorded": {
			beats(func(*foreign, string, int64) {}),
			"listNodes: status of a node that has sent a heartbeat: expected Online",
		},
		"only the first heartbeat recorded": {beats(func(f *foreign, id string, at int64) {
			if node := f.nodes[id]; node.Beaten == nil {
				node.Status, node.Beaten = "Online", &at
			}
		}), "listNodes: time of the last heartbeat of a node: expected about "},
		"registered with each heartbeat": {beats(func(f *foreign, id string, at int64) {
			node := f.nodes[id]
			node.Status, node.Beaten, node.Registered = "Online", &at, at
		}), "listNodes: time of the registration of a node: "},
		"forgotten at the second heartbeat": {beats(func(f *foreign, id string, at int64) {
			node := f.nodes[id]
			if node.Beaten != nil {
				delete(f.nodes, id)
			}
			node.Status, node.Beaten = "Online", &at
		}), "listNodes: node that is registered and has sent a heartbeat: expected to be listed"},
		"all nodes gone with one": {
			quirks{leaves: func(f *foreign, _ string) { clear(f.nodes) }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"listed after it has left": {
			quirks{leaves: func(*foreign, string) {}}, "listNodes: node that has left: expected not to be listed",
		},
		"no coming back": {quirks{
			leaves: func(f *foreign, id string) { gone[id] = true; delete(f.nodes, id) },
			refuses: refusing("/register", 410, func(body map[string]any, _ int) bool {
				id, _ := body["node_id"].(string)
				return gone[id]
			}),
		}, "registerNode: status of a registration: expected 200, got 410"},
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

// unsoundIDs refuse ids and versions that look unusual.
func unsoundIDs() map[string]unsound {
	odd := func(status int, odd func(body map[string]any, size int) bool) quirks {
		return quirks{refuses: refusing("/register", status, odd)}
	}
	says := func(body map[string]any, field string) string { return fmt.Sprint(body[field]) }
	return map[string]unsound{
		"dots and colons": {
			odd(400, func(body map[string]any, _ int) bool {
				return strings.ContainsAny(says(body, "machine_id"), ".:")
			}),
			"registerNode: status with /machine_id: pattern",
		},
		"machines whose ids begin with a digit": {
			odd(422, func(body map[string]any, _ int) bool { return says(body, "machine_id")[0] <= '9' }),
			"registerNode: status with /machine_id: pattern",
		},
		"nodes whose ids begin with a digit": {
			odd(422, func(body map[string]any, _ int) bool { return says(body, "node_id")[0] <= '9' }),
			"registerNode: status with the id 0-conform-",
		},
		"cuda in four parts": {
			odd(422, func(body map[string]any, _ int) bool {
				capabilities, _ := body["capabilities"].(map[string]any)
				return strings.Count(says(capabilities, "cuda_version"), ".") > 2
			}),
			"registerNode: status with /capabilities/cuda_version: pattern",
		},
		"two dots": {
			odd(400, func(body map[string]any, _ int) bool { return strings.Contains(says(body, "node_id"), "..") }),
			"registerNode: status with the id conform-",
		},
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
