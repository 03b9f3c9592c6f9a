//go:build pact

package provider_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/llama-orch/node-registration/contracts/provider"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/mockserver"
)

// touched serves a handler, and returns its URL and the nodes that are deregistered there.
func touched(t *testing.T, handler http.Handler) (url string, nodes func() map[string]bool) {
	t.Helper()
	var mu sync.Mutex
	found := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if id, ok := strings.CutPrefix(r.URL.Path, "/v2/nodes/"); ok && r.Method == http.MethodDelete {
			found[id] = true
		}
		mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() map[string]bool {
		mu.Lock()
		defer mu.Unlock()
		return found
	}
}

// Runs at one orchestratord, at the same time too, do not meet.
func TestEachRunHasNodesOfItsOwn(t *testing.T) {
	url, nodes := touched(t, newMock(t, mockserver.WithTokens(token)))
	var runs sync.WaitGroup
	for range 2 {
		runs.Go(func() {
			report, err := provider.Verify(t.Context(), committed, provider.Provider{URL: url, Token: token})
			if err != nil || !report.Kept() {
				t.Errorf("the error is %v, the report %+v", err, report)
			}
		})
	}
	runs.Wait()
	form := regexp.MustCompile(`^pact-node-[a-z0-9]{12}-1$`)
	for id := range nodes() {
		if !form.MatchString(id) {
			t.Errorf("the node %q was touched", id)
		}
	}
	if len(nodes()) != 2 {
		t.Errorf("2 runs have touched the nodes %v", nodes())
	}
}

// A pact that names other nodes, or other parts of the API, is refused before
// anything is sent.
func TestForeignNodesAreRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
	}))
	t.Cleanup(server.Close)
	request := func(i object) object { return i["request"].(object) }
	for name, test := range map[string]struct {
		change func(last object) // of the interactions, a registration
		want   string
	}{
		"a state": {func(i object) {
			i["providerStates"] = []any{object{"name": "the node is registered", "params": object{"node": "gpu-1"}}}
		}, `it is about the node "gpu-1": a pact may only name nodes pact-node-…`},
		"a state's odd parameter": {func(i object) {
			i["providerStates"] = []any{object{"name": "the node is registered", "params": object{"node": 1}}}
		}, `the node "1"`},
		"a state without parameters": {func(i object) {
			i["providerStates"] = []any{object{"name": "the node is online"}}
			i["request"] = object{"method": "GET", "path": "/v2/nodes"}
		}, `the provider state "the node is online" does not name its node, as the parameter "node"`},
		"a state without parameters, and another node in the request": {func(i object) {
			i["providerStates"] = []any{object{"name": "the node is online"}}
			i["request"] = object{"method": "DELETE", "path": "/v2/nodes/gpu-1"}
		}, `the node "gpu-1"`},
		"no status":  {func(i object) { i["response"] = object{"status": nil} }, "the status of its response is null"},
		"no request": {func(i object) { delete(i, "request") }, "the request has no method, or no path"},
		"a state that has its parameters in its name": {func(i object) {
			i["providerStates"] = []any{object{"name": "pact-node-1 is registered"}}
		}, `nothing is known here of the provider state "pact-node-1 is registered"`},
		"a state with other parameters": {func(i object) {
			i["providerStates"] = []any{object{
				"name":   "the node is registered",
				"params": object{"params": object{"node": "gpu-1"}},
			}}
		}, `does not name its node`},
		"a path": {
			func(i object) {
				request(i)["method"], request(i)["path"] = "DELETE",
					"/v2/nodes/gpu-1"
			}, `the node "gpu-1"`,
		},
		"another API": {
			func(i object) { request(i)["path"] = "/v2/shutdown" }, "the API of nodes has no POST /v2/shutdown",
		},
		"a body": {
			func(i object) { request(i)["body"] = object{"content": object{"node_id": "gpu-1"}} }, `the node "gpu-1"`,
		},
		"an encoded body": {
			func(i object) {
				request(i)["body"] = object{
					"content": `{"node_id":"gpu-1"}`,
					"encoded": "json",
				}
			}, `"gpu-1"`,
		},
		"a generated path": {func(i object) {
			request(i)["generators"] = object{"path": object{"type": "Regex", "regex": "/v2/nodes/gpu-[12]"}}
		}, "its path is generated"},
		"a skipped interaction": {func(i object) {
			i["providerStates"] = []any{object{"name": "the cloud profile is switched off"}}
			request(i)["path"] = "/v2/nodes/gpu-1/heartbeat"
		}, `the node "gpu-1"`},
	} {
		pact := rewritten(t, func(pact object) {
			all := pact["interactions"].([]any)
			test.change(all[len(all)-1].(object))
		})
		_, err := provider.Verify(t.Context(), pact, provider.Provider{URL: server.URL, Token: token})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %s", name, err, test.want)
		}
	}
}

// What is generated only as a request is made is looked at then.
func TestGeneratedNodesAreRefused(t *testing.T) {
	url, _ := touched(t, newMock(t, mockserver.WithTokens(token)))
	pact := rewritten(t, func(pact object) {
		all := pact["interactions"].([]any)
		registration := all[len(all)-2].(object)
		registration["request"].(object)["generators"] = object{
			"body": object{"$.node_id": object{"type": "RandomString", "size": 8}},
		}
		pact["interactions"] = []any{registration}
	})
	_, err := provider.Verify(t.Context(), pact, provider.Provider{URL: url, Token: token})
	if err == nil || !strings.Contains(err.Error(), "a request was not sent: it is about the node") {
		t.Errorf("the error is %v", err)
	}
}

// Ids that other verifiers take from a provider state are in the example as well.
func TestGeneratorsOfProviderStates(t *testing.T) {
	url, _ := touched(t, newMock(t, mockserver.WithTokens(token)))
	pact := rewritten(t, func(pact object) {
		deregistration := interaction(pact, 0)
		deregistration["request"].(object)["generators"] = object{
			"path": object{"type": "ProviderState", "expression": "/v2/nodes/${node}", "dataType": "STRING"},
		}
		pact["interactions"] = []any{deregistration}
	})
	report := verify(t, pact, provider.Provider{URL: url, Token: token})
	if report.Interactions[0].Result != results.Passed {
		t.Errorf("the report is %+v", report)
	}
}

// An orchestratord that needs no token is not said to need one, whatever is given.
func TestTokenThatNobodyNeeds(t *testing.T) {
	url, _ := touched(t, newMock(t))
	report := verify(t, committed, provider.Provider{URL: url, Token: token})
	if result := resultOf(t, report, "a registration without a token"); result != results.Passed {
		t.Errorf("without a token: %s", result)
	}
	for _, i := range report.Interactions {
		if i.Description == "a list with a token that is not valid" {
			why := strings.Join(i.Details, "\n")
			if i.Result != results.Failed || !strings.Contains(why, "answers calls without a token too") {
				t.Errorf("with a wrong token: %s, %s", i.Result, why)
			}
		}
	}
}

func TestPendingInteractions(t *testing.T) {
	url, _ := touched(t, newMock(t, mockserver.WithTokens(token)))
	for pending, kept := range map[bool]bool{true: true, false: false} {
		pact := rewritten(t, func(pact object) {
			deregistration := interaction(pact, 0)
			deregistration["response"], deregistration["pending"] = object{"status": 200}, pending
			pact["interactions"] = []any{deregistration}
		})
		report := verify(t, pact, provider.Provider{URL: url, Token: token})
		if report.Kept() != kept || report.Interactions[0].Result != results.Failed {
			t.Errorf("pending %t: kept %t, %+v", pending, report.Kept(), report.Interactions[0])
		}
	}
}

// Pacts of older specifications are verified as well.
func TestOlderSpecifications(t *testing.T) {
	url, _ := touched(t, newMock(t, mockserver.WithTokens(token)))
	for version, state := range map[string]object{
		"2.0.0": {"providerState": "the token is not valid"},
		"3.0.0": {
			"providerStates": []any{object{"name": "the node is registered", "params": object{"node": "pact-node-1"}}},
		},
	} {
		status := map[string]int{"2.0.0": http.StatusUnauthorized, "3.0.0": http.StatusNoContent}
		for change, want := range map[int]results.Result{0: results.Passed, 1: results.Failed} {
			pact := rewritten(t, func(pact object) {
				state["description"] = "a deregistration"
				state["request"] = object{
					"method": "DELETE", "path": "/v2/nodes/pact-node-1",
					"headers": object{"Authorization": "Bearer wrong"},
				}
				state["response"] = object{"status": status[version] + change}
				pact["interactions"] = []any{state}
				pact["metadata"] = object{"pactSpecification": object{"version": version}}
			})
			report := verify(t, pact, provider.Provider{URL: url, Token: token})
			if got := report.Interactions[0]; got.Result != want {
				t.Errorf("specification %s: %s, want %s: %q", version, got.Result, want, got.Details)
			}
		}
	}
}

// A state of specification 2 has no parameters, so it is about the node of the request.
func TestStatesWithoutParameters(t *testing.T) {
	url, _ := touched(t, newMock(t, mockserver.WithTokens(token)))
	for state, want := range map[string]results.Result{
		"the node is registered": results.Passed, "the node is not registered": results.Failed,
	} {
		pact := rewritten(t, func(pact object) {
			pact["interactions"] = []any{object{
				"description": "a deregistration", "providerState": state,
				"request": object{
					"method": "DELETE", "path": "/v2/nodes/pact-node-1",
					"headers": object{"Authorization": "Bearer valid"},
				},
				"response": object{"status": http.StatusNoContent},
			}}
			pact["metadata"] = object{"pactSpecification": object{"version": "2.0.0"}}
		})
		report := verify(t, pact, provider.Provider{URL: url, Token: token})
		if got := report.Interactions[0]; got.Result != want {
			t.Errorf("%s: %s, want %s: %q", state, got.Result, want, got.Details)
		}
	}
}
