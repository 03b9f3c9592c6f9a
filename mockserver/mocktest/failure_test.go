package mocktest_test

import (
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// inside is set where a test is to be run that fails.
const inside = "MOCKTEST_FAIL"

// TestFailure runs tests that fail, and looks at what a developer sees of that.
func TestFailure(t *testing.T) {
	if os.Getenv(inside) != "" {
		fail(t)
		return
	}
	run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFailure$")
	run.Env = append(os.Environ(), inside+"=1")
	output, _ := run.CombinedOutput() // it fails
	for _, test := range []struct{ name, want string }{
		{
			"expectation", `
        failure_test.go:LINE: 1 of at least 3 heartbeats from gpu-node-1 with pool-0 ready within 2 s; nearest: #4 heartbeatNode gpu-node-1 200: pool-0 should be ready, but is not
            > POST /v2/nodes/gpu-node-1/heartbeat
            > {"pools":[{"pool_id":"pool-0","ready":false,"slots_free":0}],"timestamp":"TIME"}
            < 200
            < {`,
		},
		{
			"no body", `
        failure_test.go:LINE: 0 of at least 1 listing answered 404 within 5 s; nearest: #6 listNodes 200: answered 200, not 404
            > GET /v2/nodes
            < 200
            < {`,
		},
		{
			"no answer", `
        failure_test.go:LINE: 0 of at least 1 deregistration answered 2xx within 5 s; nearest: #6 deregisterNode gpu-node-1 no answer (fault away): not answered, instead of 2xx
            > DELETE /v2/nodes/gpu-node-1
--- FAIL`,
		},
		{
			"exceeded", `
        failure_test.go:LINE: 1 heartbeat from gpu-node-1, none expected; the last: #4 heartbeatNode gpu-node-1 200
--- FAIL`,
		},
		{
			"change", `
        failure_test.go:LINE: 0 of at least 1 change to Failed; nearest: #3 gpu-node-1 Registering → Online: became Online, not Failed
--- FAIL`,
		},
		{
			"status", `
        failure_test.go:LINE: gpu-node-1 is Online, not Offline, after 5s
            #1 gpu-node-1 → Registering
            #3 gpu-node-1 Registering → Online
--- FAIL`,
		},
		{
			"contradiction", `
    failure_test.go:LINE: this cannot be expected: /operation: must be heartbeatNode, as only that reports pools
`,
		},
		{
			"status pattern", `
    failure_test.go:LINE: this cannot be expected: /answered: must match ^([1-5][0-9]{2}|[1-5]xx|none)$, as "4xx" does
`,
		},
		{
			"no requests", `
    failure_test.go:LINE: this cannot be expected: /operation: value is not one of the allowed values ["registerNode","heartbeatNode","deregisterNode","listNodes"]
`,
		},
		{
			"too many", `
    failure_test.go:LINE: this cannot be expected: /at_least: must be 1000000 or less, not 2147483647
`,
		},
		{
			"too few", `
    failure_test.go:LINE: this cannot be expected: /at_least: must be 0 or more, not -1
`,
		},
		{
			"slots", `
        failure_test.go:LINE: this cannot be expected: /pool/max_slots_free: must be 1000000 or less, not 2147483647
            /pool/min_slots_free: must be 1000000 or less, not 2147483647
`,
		},
		{
			"wrong fault", `
        failure_test.go:LINE: /rules: must be of type array, not null
`,
		},
		{
			"wrong option", `
        failure_test.go:LINE: token 1 of 1: must have a length of 1 or more, not 0
`,
		},
		{
			"fault", `
    failure_test.go:LINE: there is no fault "flakey", but amnesia, auth-rotation, `,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			failure := "--- FAIL: TestFailure/" + strings.ReplaceAll(test.name, " ", "_") + " ("
			_, said, failed := strings.Cut(string(output), failure)
			said, _, _ = strings.Cut(said, "--- FAIL: ")
			said = strings.TrimRight(said, " ") + "--- FAIL"
			if !failed {
				t.Errorf("the test passed:\n%s", output)
			}
			if got := normal(said); !strings.Contains(got, strings.TrimPrefix(test.want, "\n")) {
				t.Errorf("got\n%s\nwant%s", got, test.want)
			}
			if line := lineOf(t, ") // "+test.name); !strings.Contains(said, "failure_test.go:"+line+":") {
				t.Errorf("it fails elsewhere than on line %s:\n%s", line, said)
			}
		})
	}
}

// normal returns output without what differs from run to run.
func normal(output string) string {
	output = regexp.MustCompile(`failure_test.go:[0-9]+`).ReplaceAllString(output, "failure_test.go:LINE")
	return regexp.MustCompile(`"timestamp":"[^"]*"`).ReplaceAllString(output, `"timestamp":"TIME"`)
}

// lineOf returns the number of the line of this file that ends with a text.
func lineOf(t *testing.T, text string) string {
	source, err := os.ReadFile("failure_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(source), "\n") {
		if strings.HasSuffix(line, text) {
			return strconv.Itoa(i + 1)
		}
	}
	t.Fatalf("no line ends with %s", text)
	return ""
}

func list(t *testing.T, mock *mocktest.Server) {
	t.Helper()
	if answer, err := mock.Client().Get(mock.URL + "/v2/nodes"); err == nil {
		answer.Body.Close()
	}
}

func fail(t *testing.T) {
	story := func(name string, end func(*testing.T, *mocktest.Server)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock := mocktest.InMemory(t, mockserver.WithLogger(nil))
				n := newNode(t, mock, "gpu-node-1")
				n.register()
				n.beat(nodeapi.PoolStatus{PoolID: "pool-0"})
				n.beat(nodeapi.PoolStatus{PoolID: "pool-0", Ready: true})
				end(t, mock)
			})
		})
	}
	story("expectation", func(t *testing.T, mock *mocktest.Server) {
		three := mocktest.AtLeast(3, mocktest.Heartbeats).From("gpu-node-1").WithPool("pool-0", mocktest.Ready)
		mock.Expect(t, three.Within(2*time.Second)) // expectation
	})
	story("no body", func(t *testing.T, mock *mocktest.Server) {
		list(t, mock)
		mock.Expect(t, mocktest.AtLeast(1, mocktest.Listings).Answered("404")) // no body
	})
	story("no answer", func(t *testing.T, mock *mocktest.Server) {
		away := control.FaultEffect{Connection: new(control.FaultEffectConnectionResetBefore)}
		mock.Inject(t, "away", control.FaultDefinition{Rules: control.FaultRules{{Effect: away}}})
		n := newNode(t, mock, "gpu-node-1")
		if _, err := n.client.DeregisterNode(t.Context(), n.id, nil); err == nil {
			t.Error("there is an answer")
		}
		mock.Expect(t, mocktest.AtLeast(1, mocktest.Deregistrations).Answered("2xx")) // no answer
	})
	story("exceeded", func(t *testing.T, mock *mocktest.Server) {
		mock.Expect(t, mocktest.AtMost(0, mocktest.Heartbeats).From("gpu-node-1")) // exceeded
	})
	story("change", func(t *testing.T, mock *mocktest.Server) {
		failed := mocktest.Expectation{Control: control.Expectation{
			Kind: new(control.EntryKindChange), Becomes: new(nodeapi.NodeStatusFailed),
		}}
		mock.Expect(t, failed) // change
	})
	story("wrong fault", func(t *testing.T, mock *mocktest.Server) {
		mock.Inject(t, "away", control.FaultDefinition{}) // wrong fault
	})
	story("wrong option", func(t *testing.T, _ *mocktest.Server) {
		mocktest.InMemory(t, mockserver.WithTokens("")) // wrong option
	})
	story("status", func(t *testing.T, mock *mocktest.Server) {
		newNode(t, mock, "gpu-node-2").register()
		begin := time.Now()
		defer func() {
			if took := time.Since(begin); took != 5*time.Second {
				t.Errorf("it took %s", took)
			}
		}()
		mock.ExpectStatus(t, "gpu-node-1", nodeapi.NodeStatusOffline) // status
	})
	story("contradiction", func(t *testing.T, mock *mocktest.Server) {
		mock.Expect(t, mocktest.Exactly(1, mocktest.Listings).WithPool("pool-0")) // contradiction
	})
	story("status pattern", func(t *testing.T, mock *mocktest.Server) {
		mock.Expect(t, mocktest.Exactly(0, mocktest.AllRequests).Answered("5XX")) // status pattern
	})
	story("no requests", func(t *testing.T, mock *mocktest.Server) {
		mock.Expect(t, mocktest.Exactly(0, mocktest.Requests("register"))) // no requests
	})
	story("too many", func(t *testing.T, mock *mocktest.Server) {
		mock.Expect(t, mocktest.AtLeast(math.MaxInt, mocktest.AllRequests)) // too many
	})
	story("too few", func(t *testing.T, mock *mocktest.Server) {
		mock.Expect(t, mocktest.AtLeast(-1, mocktest.Heartbeats)) // too few
	})
	story("slots", func(t *testing.T, mock *mocktest.Server) {
		tooMany := mocktest.SlotsFree(math.MaxInt)
		mock.Expect(t, mocktest.AtMost(0, mocktest.Heartbeats).WithPool("pool-0", tooMany)) // slots
	})
	story("fault", func(t *testing.T, mock *mocktest.Server) {
		mock.SwitchOn(t, "flakey") // fault
	})
}
