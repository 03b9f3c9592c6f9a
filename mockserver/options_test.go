package mockserver_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// TestOptionsAddUp gives options twice. They leave what they were given as it was.
func TestOptionsAddUp(t *testing.T) {
	idle := func(name string) map[string]control.FaultDefinition {
		return map[string]control.FaultDefinition{name: {Rules: []control.FaultRule{{
			Match: &control.FaultMatch{Node: new("nobody")}, Effect: control.FaultEffect{Status: new(int32(503))},
		}}}}
	}
	hosts, origins, faults := []string{"A.example"}, []string{"https://A.example"}, idle("a")
	server := newServer(t, mockserver.WithTokens("a"), mockserver.WithTokens("b"),
		mockserver.WithControlHosts(hosts...), mockserver.WithControlHosts("B.example"),
		mockserver.WithCORS(origins...), mockserver.WithCORS("https://B.example"),
		mockserver.WithFaults(faults), mockserver.WithFaults(idle("b")))
	for _, name := range []string{"a", "b"} {
		list := httptest.NewRequest(http.MethodGet, "/v2/nodes", nil)
		list.Header = http.Header{"Authorization": {"Bearer " + name}, "Origin": {"https://" + name + ".example"}}
		ofFaults := httptest.NewRequest(http.MethodGet, "http://"+name+".example/__mock/faults", nil)
		for _, request := range []*http.Request{list, ofFaults} {
			answer := httptest.NewRecorder()
			if server.ServeHTTP(answer, request); answer.Code != http.StatusOK {
				t.Errorf("%s %s: %d %s", name, request.URL, answer.Code, answer.Body)
			}
		}
		if on := server.Faults().Enabled(); !slices.Contains(on, name) {
			t.Errorf("fault %s is not on, only %v", name, on)
		}
	}
	if hosts[0] != "A.example" || origins[0] != "https://A.example" || len(faults) != 1 {
		t.Errorf("what was given is now %v, %v and %v", hosts, origins, faults)
	}
}

// TestBadOptions gets all mistakes in one error.
func TestBadOptions(t *testing.T) {
	const noToken = `must match ^[!-~]+$, as "replace-me-with-32-random-bytes-or-more" does`
	for _, test := range []struct {
		options []mockserver.Option
		want    string
	}{
		{[]mockserver.Option{mockserver.WithLogger(nil), mockserver.WithBodyLimit(1)}, ""},
		{
			[]mockserver.Option{
				mockserver.WithHeartbeatInterval(time.Millisecond),
				mockserver.WithNodeTimeout(2 * time.Millisecond),
			}, "",
		},
		{[]mockserver.Option{mockserver.WithJournal(100_000), mockserver.WithControlHosts("mock.example.com")}, ""},
		{
			[]mockserver.Option{
				mockserver.WithJournal(100_001), mockserver.WithControlHosts("a", "mock.example.com:80"),
			},
			"journal 100001: must be 0 to 100000\n" +
				`control host "mock.example.com:80": must be a host name without a port, such as mock.example.com`,
		},
		{
			[]mockserver.Option{mockserver.WithNodeTimeout(10 * time.Second)},
			"node timeout 10s: must be longer than the heartbeat interval 10s",
		},
		{
			[]mockserver.Option{
				mockserver.WithDialect(mockserver.InService), mockserver.WithNodeTimeout(4 * time.Second),
			}, "",
		},
		{
			[]mockserver.Option{
				mockserver.WithUpstream(mockserver.Upstream{URL: "http://127.0.0.1:8081"}),
				mockserver.WithNodeTimeout(4 * time.Second),
			}, "",
		},
		{
			[]mockserver.Option{
				mockserver.WithUpstream(mockserver.Upstream{URL: "127.0.0.1:8081", Document: []byte("openapi: 2")}),
				mockserver.WithTokens("hush"), mockserver.WithCloudProfile(false),
			},
			"the URL of the upstream lacks its scheme, as in http://127.0.0.1:8081\n" +
				"tokens of nodes: are for the orchestratord of the upstream to check\n" +
				"cloud profile: is for the orchestratord of the upstream to switch off\n" +
				"document: line 1: openapi is 2: must be a version such as 3.0.3",
		},
		{
			[]mockserver.Option{mockserver.WithUpstream(mockserver.Upstream{
				URL: "http://127.0.0.1:8081/" + strings.Repeat("x", 2048),
			})},
			"the URL of the upstream must have a length of 2048 or less, not 2070",
		},
		{
			[]mockserver.Option{
				mockserver.WithUpstream(mockserver.Upstream{URL: "http://127.0.0.1:8081"}),
				fault(t, "{effect: {restart: true}}"),
			},
			"/faults/it/rules/0/effect/restart: cannot be done from here: " +
				"the mock stands in front of another orchestratord",
		},
		{
			[]mockserver.Option{mockserver.WithDialect(mockserver.InService), mockserver.WithNodeTimeout(0)},
			"node timeout 0s: must be positive",
		},
		{
			[]mockserver.Option{mockserver.WithClock(clock.PausedAt(time.Time{}))},
			"clock at 0001-01-01T00:00:00Z: in milliseconds it must be 0 or more, not -62135596800000",
		},
		{
			[]mockserver.Option{mockserver.WithNodeTimeout(8 * 24 * time.Hour)},
			"node timeout 192h0m0s: in milliseconds it must be 604800000 or less, not 691200000",
		},
		{
			[]mockserver.Option{mockserver.WithTokens(strings.Fields(strings.Repeat("hush ", 101))...)},
			"tokens: must have 100 items or fewer, not 101",
		},
		{
			[]mockserver.Option{
				mockserver.WithHeartbeatInterval(25 * time.Hour),
				mockserver.WithNodeTimeout(26 * time.Hour),
			},
			"heartbeat interval 25h0m0s: in milliseconds it must be 86400000 or less, not 90000000",
		},
		{
			[]mockserver.Option{
				mockserver.WithTokens("good", ""), mockserver.WithHeartbeatInterval(0),
				mockserver.WithStaleCheckInterval(0),
				mockserver.WithNodeTimeout(-1), mockserver.WithBodyLimit(0), mockserver.WithValidation("lenient"),
				mockserver.WithDialect("esperanto"),
			},
			"token 2 of 2: must have a length of 1 or more, not 0\n" +
				"heartbeat interval 0s: in milliseconds it must be 1 or more, not 0\n" +
				"node timeout -1ns: must be longer than the heartbeat interval 0s\n" +
				"stale check interval 0s: in milliseconds it must be 1 or more, not 0\n" +
				"body limit 0: must be positive\n" +
				`validation "lenient": must be strict, report or off` + "\n" +
				`dialect "esperanto": must be document or in-service`,
		},
		{
			[]mockserver.Option{
				mockserver.WithTokens("hush", "hush\n", "hush hush"),
				mockserver.WithTokens("hüsh", strings.Repeat("hush", 1025)),
				mockserver.WithControlToken("hush\n"),
			},
			"token 2 of 5: " + noToken + "\n" +
				"token 2 of 5 is the control token: nodes must not have it\n" +
				"token 3 of 5: " + noToken + "\n" +
				"token 4 of 5: " + noToken + "\n" +
				"token 5 of 5: must have a length of 4096 or less, not 4100\n" +
				"control token: " + noToken,
		},
	} {
		server, err := mockserver.New(test.options...)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if (server == nil) != (err != nil) {
			t.Errorf("server %v, error %v", server, err)
		}
		if server != nil {
			server.Close()
		}
	}
}
