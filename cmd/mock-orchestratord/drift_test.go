package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/drift"
)

// TestDrift sends a registration that lacks a field, and misspells another.
func TestDrift(t *testing.T) {
	const drifting = `{"node_id":"gpu-node-1","machineid":"m","address":"http://127.0.0.1:9200","pools":[],
		"capabilities":{"gpu_count":1,"total_vram_mb":1,"cuda_version":""}}`
	keeping := strings.Replace(drifting, "machineid", "machine_id", 1)
	const summary = `drift from the contract, 2 departures:
  registerNode at "/machine_id": must be there (got nothing): 1 request, last of gpu-node-1
  registerNode at "/machineid": must be a field that the contract names, perhaps "machine_id" (got "machineid"): 1 request, last of gpu-node-1
`
	const refused = `refused by the orchestratord in service, 1 departure:
  registerNode at "/capabilities/gpus": must be there for the orchestratord in service (got nothing): 1 request, last of gpu-node-1
`
	refusedToo := strings.Replace(refused, "1 departure", "2 departures", 1) +
		`  registerNode at "/machine_id": must be there for the orchestratord in service (got nothing): 1 request, last of gpu-node-1
`
	const failed = "mock-orchestratord: requests departed from the contract"
	const without = "the orchestratord in service would refuse requests: registerNode for /capabilities/gpus"
	for _, test := range []struct {
		name     string
		args     []string
		body     string
		answered int
		stderr   string
		exited   int
	}{
		{"report", []string{"--validation", "report"}, drifting, 200, summary + refusedToo, 0},
		{
			"report and fail",
			[]string{"--validation", "report", "--fail-on-drift"},
			drifting, 200,
			summary + refusedToo + failed + "\n", 3,
		},
		{"no drift", []string{"--validation", "report", "--fail-on-drift"}, keeping, 200, refused, 0},
		{
			"refused in service",
			[]string{"--fail-on-refused-in-service"},
			keeping, 200,
			refused + "mock-orchestratord: " + without + "\n", 3,
		},
		{
			"drift, and refused in service",
			[]string{"--validation", "report", "--fail-on-drift", "--fail-on-refused-in-service"},
			drifting, 200,
			summary + refusedToo + failed + "; " + without + ", /machine_id\n", 3,
		},
		{"in service", []string{"--dialect", "in-service"}, keeping, 422, `drift from the contract, 1 departure:
  registerNode at "/capabilities/gpus": must be there (got nothing): 1 request, last of gpu-node-1
`, 0},
		{"strict", nil, drifting, 422, summary, 0},
		{
			"strict and fail",
			[]string{"--validation", "strict", "--fail-on-drift"},
			drifting, 422,
			summary + failed + "\n", 3,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := start(t, nil, append(test.args, "--log-level", "error")...)
			response, err := http.Post(program.url+"/v2/nodes/register", "application/json",
				strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.answered {
				t.Errorf("POST: status %d, want %d", response.StatusCode, test.answered)
			}
			status, _, stderr := program.stop()
			if status != test.exited {
				t.Errorf("exit status %d, want %d", status, test.exited)
			}
			if stderr != test.stderr {
				t.Errorf("stderr:\n%swant:\n%s", stderr, test.stderr)
			}
		})
	}
}

// TestDriftOfRequests ends the program after a request that departs from the document, though
// its body does not.
func TestDriftOfRequests(t *testing.T) {
	for _, request := range []string{
		"GET /v1/nodes", "POST /v2/node", "PUT /v2/nodes", "GET /v2/nodes?all=1",
		"POST /v2/nodes/register", "GET /metrics",
	} {
		program := start(t, nil, "--fail-on-drift", "--log-level", "error")
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, program.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		want := driftStatus
		if path == "/metrics" {
			want = 0
		}
		status, _, stderr := program.stop()
		if status != want || want != 0 && !strings.Contains(stderr, "1 departure") {
			t.Errorf("%s: exit status %d, stderr:\n%s", request, status, stderr)
		}
	}
}

// TestDepartureWithoutRoom lists a departure, and that there was another.
func TestDepartureWithoutRoom(t *testing.T) {
	var listed bytes.Buffer
	seen := drift.Entry{Departure: drift.Departure{Pointer: "/v1", Expected: "e", Got: "g"}, Requests: 2}
	summarize(&listed, "drift", drift.Report{Entries: []drift.Entry{seen}, Dropped: 1})
	const want = `drift, 1 departure:
  no operation at "/v1": e (got g): 2 requests, last of no known node
  and others, seen 1 time, that there was no room for
`
	if listed.String() != want {
		t.Errorf("listed is\n%s, want\n%s", &listed, want)
	}
}
