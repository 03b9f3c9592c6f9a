package conformance_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestSoundServersConform_heavy has no orchestratord found fault with that hurts no node. Each has as many
// quirks as do not get in each other's way, as a whole run is made against it.
func TestSoundServersConform_heavy(t *testing.T) {
	race.Skip(t)
	servers := map[string]quirks{"none": {}}
	for _, some := range []map[string]quirks{soundAnswers(), soundClocks(), soundCallers(), soundProxies()} {
		maps.Copy(servers, some)
	}
	for name, q := range servers {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				conforms(t, newForeign(token, q), conformance.Options{Token: token})
			})
		})
	}
}

// soundAnswers say more than others, less, or in other words.
func soundAnswers() map[string]quirks {
	return map[string]quirks{
		"more in each answer": {
			indent: "  ", media: "application/json; charset=utf-8", padding: 1000, hints: true,
			registers: map[string]any{
				"lease": map[string]any{"id": 1.5}, "region": nil, "message": strings.Repeat("w", 400),
			},
			refusal: "<html><h1>no</h1></html>",
			header: http.Header{ // of caches and proxies
				"Cache-Control": {"no-store"}, "Vary": {"Origin", "Accept"}, "Via": {"1.1 edge"},
				"Set-Cookie": {"a=b; Path=/"},
			},
		},
		"an empty message, the next heartbeat in a second, and an age of nothing for caches": {
			registers: map[string]any{"message": ""}, next: 1000, header: http.Header{
				"Cache-Control": {"public, max-age=0, must-revalidate"}, "Expires": {"0"},
			},
		},
		"the next heartbeat in an hour, and an age for calls without a token": {
			next: 3_600_000, offline: 3 * time.Hour, header: http.Header{"Cache-Control": {"max-age=5"}},
		},
		"the next heartbeat in 40 s, and an end for calls without a token": {
			next: 40_000, offline: 2 * time.Minute, header: http.Header{"Expires": {"Thu, 01 Jan 2099 00:00:00 GMT"}},
		},
	}
}

// soundClocks have a time of their own.
func soundClocks() map[string]quirks {
	return map[string]quirks{
		"a clock of two hours ago, and an age that is over": {
			clock: -2 * time.Hour, header: http.Header{"Cache-Control": {"public"}, "Expires": {"0"}},
		},
		"a clock of tomorrow, and errors that caches may keep": {
			clock: 20 * time.Hour, proxy: func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") != "Bearer "+token {
					w.Header().Set("Cache-Control", "public, max-age=5")
				}
				return false
			},
		},
		"a clock of its own, and the newest node first": {
			clock: time.Hour, proxy: func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Via", "1.1 edge")
				w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
				return false
			},
			shows: func(nodes []foreignNode) ([]foreignNode, int) {
				slices.Reverse(nodes)
				return nodes, len(nodes)
			},
		},
	}
}

// soundCallers are what calls have to do.
func soundCallers() map[string]quirks {
	calls := 0
	return map[string]quirks{
		"a connection for each call, no bodies over 1.5 MiB, and the first of several tokens": {
			refuses: func(_ *http.Request, body []byte) int {
				if len(body) > 3<<19 {
					return http.StatusRequestEntityTooLarge
				}
				return 0
			},
			accepts: func(r *http.Request, token string) bool {
				return r.Header.Get("Authorization") == "Bearer "+token
			},
			header: http.Header{"Connection": {"close"}},
		},
		"too many calls now and then, the scheme in small letters too, and a list of who is online": {
			refuses: func(*http.Request, []byte) int {
				if calls++; calls%400 == 0 {
					return http.StatusTooManyRequests
				}
				return 0
			},
			accepts: func(r *http.Request, token string) bool {
				scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				return strings.EqualFold(scheme, "bearer") && given == token
			},
			header: http.Header{"Retry-After": {"1"}},
			shows: func(nodes []foreignNode) ([]foreignNode, int) {
				nodes = slices.DeleteFunc(nodes, func(n foreignNode) bool { return n.Status != "Online" })
				return nodes, len(nodes)
			},
		},
	}
}

// soundProxies stand before orchestratord, or are part of it, and list nodes in other ways.
func soundProxies() map[string]quirks {
	known := regexp.MustCompile(`^/v2/nodes(/[^/]+(/heartbeat)?)?$`)
	return map[string]quirks{
		"a page for any other path, and times in whole seconds": {
			proxy: func(w http.ResponseWriter, r *http.Request) bool {
				if known.MatchString(r.URL.EscapedPath()) {
					return false
				}
				w.Header().Set("Content-Type", "text/html")
				if r.Method == http.MethodDelete {
					w.WriteHeader(http.StatusNoContent)
					return true
				}
				_, _ = io.WriteString(w, "<html><h1>the dashboard</h1></html>")
				return true
			},
			shows: each(wholeSeconds),
		},
		"no header twice, and nodes of others": {
			proxy: func(w http.ResponseWriter, r *http.Request) bool {
				twice := len(r.Header["Authorization"]) > 1
				if twice {
					w.WriteHeader(http.StatusBadRequest)
				}
				return twice
			},
			shows: withOther,
		},
	}
}

// wholeSeconds rounds the times of a node down.
func wholeSeconds(n *foreignNode) {
	n.Registered -= n.Registered % 1000
	if n.Beaten != nil {
		at := *n.Beaten - *n.Beaten%1000
		n.Beaten = &at
	}
}

// withOther lists a node that nobody here has registered.
func withOther(nodes []foreignNode) ([]foreignNode, int) {
	at := time.Now().UnixMilli() - 7_200_000
	other := foreignNode{
		ID: "A", Machine: "m", Address: "http://192.0.2.3:1", Pools: []string{}, Status: "Offline",
		Capabilities: json.RawMessage(`{"gpus":[]}`), Registered: at, Beaten: &at,
	}
	return append([]foreignNode{other}, nodes...), len(nodes) + 1
}

// TestAnyTokenConforms_heavy has tokens that are easily mistaken for a wrong one, before a server that takes
// its token in each way that RFC 9110 allows.
func TestAnyTokenConforms_heavy(t *testing.T) {
	race.Skip(t)
	for _, token := range []string{"7", "wrong", "undefined", "Bearer", "ab"} {
		t.Run(token, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server := newForeign(token, quirks{accepts: func(r *http.Request, token string) bool {
					given := strings.Fields(r.Header.Get("Authorization"))
					return len(given) == 2 && strings.EqualFold(given[0], "Bearer") && given[1] == token
				}})
				conforms(t, server, conformance.Options{Token: token, Only: []string{"tokens"}})
			})
		})
	}
}

// each shows every node in another way.
func each(change func(n *foreignNode)) func([]foreignNode) ([]foreignNode, int) {
	return func(nodes []foreignNode) ([]foreignNode, int) {
		for i := range nodes {
			change(&nodes[i])
		}
		return nodes, len(nodes)
	}
}

// TestAnyOrderConforms_heavy has the list of a mock that needs no token in another order than the mock,
// which no document promises.
func TestAnyOrderConforms_heavy(t *testing.T) {
	race.Skip(t)
	var mock *mocktest.Server
	reversed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		mock.ServeHTTP(answer, r)
		var list struct {
			Nodes []json.RawMessage `json:"nodes"`
			Count int               `json:"count"`
		}
		text := answer.Body.Bytes()
		if r.Method == http.MethodGet && json.Unmarshal(text, &list) == nil && len(list.Nodes) > 1 {
			slices.Reverse(list.Nodes)
			text, _ = json.Marshal(list)
		}
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(text)
	})
	bubble(t, func(t *testing.T) {
		mock = newMock(t)
		conforms(t, reversed, conformance.Options{Level: conformance.Document})
		noneLeft(t, mock)
	})
}
