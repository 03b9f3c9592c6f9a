package mockserver_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func saysWhy(t *testing.T) {
	s := inService(t)
	s.register()
	const (
		beat    = "/v2/nodes/gpu-node-1/heartbeat"
		refused = "Failed to deserialize the JSON body into the target type: "
	)
	for body, want := range faultsInService() {
		if got := s.must(422, "POST", beat, body); got.text != refused+want {
			t.Errorf("%s:\n%s, want\n%s", body, got.text, refused+want)
		}
	}
	for _, number := range []string{"24000000000.0", "-0", "18446744073709551616"} {
		got := s.must(422, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "24000000000", number, 1))
		const want = refused + "capabilities.gpus[0].vram_total_bytes: invalid type: floating point `"
		if !strings.HasPrefix(got.text, want) || !strings.Contains(got.text, ", expected u64 at line 1 column ") {
			t.Errorf("%s: %s", number, got.text)
		}
	}
	const unknown = `"models_available":1,"models_available":2,"x":1,"x":2`
	s.must(200, "POST", beat, strings.Replace(rustHeartbeat, `"engine":null`, unknown, 1))
	trailing := fmt.Sprint("Failed to parse the request body as JSON: trailing characters at line 1 column ",
		len(rustHeartbeat)+2)
	if got := s.must(400, "POST", beat, rustHeartbeat+" x"); got.text != trailing {
		t.Errorf("%s, want %s", got.text, trailing)
	}
	large := s.must(400, "POST", beat, strings.Replace(rustHeartbeat, `"slots_free":3`, `"slots_free":1e400`, 1))
	const tooLarge = "Failed to parse the request body as JSON: pools[0].slots_free: number out of range"
	if !strings.HasPrefix(large.text, tooLarge) {
		t.Errorf("%s, want a number that is out of range", large.text)
	}
	isMalformed := func(entry drift.Entry) bool { return entry.Kind == drift.Malformed }
	if seen := s.Drift().Entries; !slices.ContainsFunc(seen, isMalformed) {
		t.Errorf("what is no JSON is no drift: %v", seen)
	}
}

func takesMore(t *testing.T) {
	s := inService(t)
	more := strings.NewReplacer(`"cpu_cores":null`, `"cpu_cores":16`, `"ram_total_bytes":null`,
		`"ram_total_bytes":64000000000`)
	s.must(200, "POST", "/v2/nodes/register", more.Replace(rustRegistration))
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat",
		strings.Replace(rustHeartbeat, `"engine":null`, `"engine":"llamacpp"`, 1))
	if list := s.must(200, "GET", "/v2/nodes", "").text; !strings.Contains(list, `"cpu_cores":16`) ||
		!strings.Contains(list, `"ram_total_bytes":64000000000`) {
		t.Errorf("the list: %s", list)
	}
	if node, _ := s.Node("gpu-node-1"); node.Pools[0].Engine == nil || *node.Pools[0].Engine != "llamacpp" {
		t.Errorf("the pools: %+v", node.Pools)
	}
}

func takesTheRustNode(t *testing.T) {
	s := inService(t)
	s.register()
	s.beat()
	s.wantListed("after the calls of the Rust node", "gpu-node-1")
	for _, kind := range []string{"application/json; charset=latin1", "application/vnd.node+json"} {
		if got := s.call("POST", "/v2/nodes/register", rustRegistration, "Content-Type: "+
			kind); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", kind, got.StatusCode, got.text)
		}
	}
	encoded := s.call("POST", "/v2/nodes/register", rustRegistration, "Content-Type: application/json",
		"Content-Encoding: gzip") // which it is not, and nobody looks
	if encoded.StatusCode != http.StatusOK {
		t.Errorf("with a content encoding: %d %s", encoded.StatusCode, encoded.text)
	}
}

// Types of the node API hold smaller numbers, so the largest that they hold are kept.
func takesLargeNumbers(t *testing.T) {
	s := inService(t)
	large := strings.NewReplacer(`"device_id":0`, `"device_id":4294967295`, "24000000000", "18446744073709551615")
	s.must(200, "POST", "/v2/nodes/register", large.Replace(rustRegistration))
	s.must(422, "POST", "/v2/nodes/register",
		strings.Replace(rustRegistration, `"device_id":0`, `"device_id":4294967296`, 1))
	beat := strings.NewReplacer(`"slots_free":3`, `"slots_free":4294967295`, "18000000000", "18446744073709551615")
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", beat.Replace(rustHeartbeat))
	s.wantListed("with large numbers", "gpu-node-1")
	for _, number := range []string{"-1", "4294967296", "1.5"} {
		s.must(422, "POST", "/v2/nodes/gpu-node-1/heartbeat",
			strings.Replace(rustHeartbeat, `"slots_free":3`, `"slots_free":`+number, 1))
	}
	listsLargeNumbers(t, s)
}

// listsLargeNumbers has numbers that the document does not allow. They are shown as they were sent.
func listsLargeNumbers(t *testing.T, s *service) {
	t.Helper()
	const vram = "9007199254740993" // which no float64 is
	s.must(200, "POST", "/v2/nodes/register", strings.NewReplacer(`"device_id":0`, `"device_id":70000`,
		"24000000000", vram, `"cpu_cores":null`, `"cpu_cores":100000`).Replace(rustRegistration))
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", strings.NewReplacer(`"slots_free":3`, `"slots_free":70000000`,
		"18000000000", vram).Replace(rustHeartbeat))
	listed := s.must(200, "GET", "/v2/nodes", "").text
	shown := s.must(200, "GET", "/__mock/nodes/gpu-node-1", "").text
	for text, numbers := range map[string][]string{
		listed: {`"device_id":70000`, `"vram_total_bytes":` + vram, `"cpu_cores":100000`},
		shown:  {`"slots_free":70000000`, `"vram_free_bytes":` + vram},
	} {
		for _, number := range numbers {
			if !strings.Contains(text, number) {
				t.Errorf("%s is not in %s", number, text)
			}
		}
	}
}

// TestNothingIsMadeUp registers nodes that leave out capabilities which the document requires, or
// the orchestratord in service. Nothing shows zeros in their place, in whichever dialect.
func TestNothingIsMadeUp(t *testing.T) {
	const byDocument = "gpu_count total_vram_mb cuda_version"
	zeros := strings.Replace(rustRegistration,
		`"gpus":`, `"gpu_count":0,"total_vram_mb":0,"cuda_version":"","gpus":`, 1)
	brief := strings.Replace(briefRegistration, `"total_vram_mb": 48000`, `"total_vram_mb": "much"`, 1)
	for name, test := range map[string]struct {
		dialect          mockserver.Dialect
		body, has, lacks string
	}{
		"of the Rust node":       {mockserver.Document, rustRegistration, "gpus", byDocument},
		"of the brief, in part":  {mockserver.Document, brief, "gpu_count cuda_version", "total_vram_mb"},
		"of the brief, as it is": {mockserver.Document, briefRegistration, byDocument, "gpus"},
		"zeros that it has stated": {
			mockserver.Document, strings.Replace(briefRegistration, `"gpu_count": 2`, `"gpu_count": 0`, 1),
			"gpu_count", "gpus",
		},
		"of the Rust node, in service": {mockserver.InService, rustRegistration, "gpus", byDocument},
		"of the brief, in service":     {mockserver.InService, briefRegistration, "", "gpus " + byDocument},
		"zeros, in service":            {mockserver.InService, zeros, "gpus", byDocument},
	} {
		t.Run(name, func(t *testing.T) {
			s := inService(t, mockserver.WithValidation(mockserver.Report))
			s.must(200, "PATCH", "/__mock/settings", fmt.Sprintf(`{"dialect":%q}`, test.dialect))
			s.must(200, "POST", "/v2/nodes/register", test.body)
			s.beat()
			for _, path := range []string{"/v2/nodes", "/__mock/nodes", "/__mock/journal.har"} {
				s.wantFields(path, test.body, test.has, test.lacks)
			}
		})
	}
}

// TestStatusIsNotMadeUp sends the heartbeat of the brief, which lacks what is required in service.
func TestStatusIsNotMadeUp(t *testing.T) {
	s := inService(t, mockserver.WithValidation(mockserver.Report))
	s.register()
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
	node, _ := s.Node("gpu-node-1")
	pool := node.Pools[0]
	if !pool.Ready || pool.Draining != nil || pool.SlotsTotal != nil || pool.VRAMFreeBytes != nil {
		t.Errorf("the pool: %+v", pool)
	}
}

// TestItemsLackingAValue sends GPUs and pools that lack a value, or have a wrong one. Nothing is made up
// in its place: they are left out, and the others are shown.
func TestItemsLackingAValue(t *testing.T) {
	const good = `{"device_id":1,"name":"g","vram_total_bytes":7,"compute_capability":"8.6"}`
	gpus := regexp.MustCompile(`"gpus":\[.*?\]`)
	registration := gpus.ReplaceAllString(rustRegistration, `"gpus":[`+strings.Join([]string{
		strings.Replace(good, `"vram_total_bytes":7,`, "", 1), strings.Replace(good, "7", `"lots"`, 1),
		strings.Replace(good, "1", "-1", 1), good,
	}, ",")+`]`)
	const beat = `{"timestamp":"2026-11-23T15:13:54Z","pools":[{"pool_id":"a"},` +
		`{"pool_id":"b","ready":"yes","slots_free":1},{"pool_id":"c","ready":true,"slots_free":1}]}`
	client, server := start(t, mockserver.WithValidation(mockserver.Report))
	client.register(registration).expect(t, http.StatusOK)
	client.beat("gpu-node-1", beat).expect(t, http.StatusOK)
	want := []nodeapi.GPU{{DeviceID: 1, Name: "g", VRAMTotalBytes: 7, ComputeCapability: "8.6"}}
	if diff := cmp.Diff(want, *client.list().Nodes[0].Capabilities.Gpus); diff != "" {
		t.Errorf("GPUs (-want +got):\n%s", diff)
	}
	node, _ := server.Node("gpu-node-1")
	if diff := cmp.Diff([]nodeapi.PoolStatus{{PoolID: "c", Ready: true, SlotsFree: 1}}, node.Pools); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
}

func takesUnknownFields(t *testing.T) {
	s := inService(t)
	s.register()
	for _, body := range []string{
		`{"timestamp":"now","pools":[],"colour":"red"}`,
		strings.Replace(rustHeartbeat, `"engine":null`, `"engine":"two words","models_available":7`, 1),
	} {
		s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", body)
	}
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat",
		strings.Replace(rustHeartbeat, `"engine":null`, `"models_available":null`, 1))
	long := strings.Repeat("x", 300)
	odd := strings.Replace(rustRegistration, "gpu-node-1", "no id, by the document", 1)
	s.must(200, "POST", "/v2/nodes/register", strings.Replace(odd, `"gpus"`, `"gpu_count":null,"gpus"`, 1))
	s.must(200, "POST", "/v2/nodes/no%20id,%20by%20the%20document/heartbeat", rustHeartbeat)
	s.wantListed("an id that the document does not allow", "gpu-node-1", "no id, by the document")
	s.must(200, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "machine-alpha", long+" ä", 1))
}

func needsGPUs(t *testing.T) {
	s := inService(t)
	s.must(200, "POST", "/v2/nodes/register",
		regexp.MustCompile(`"gpus":\[.*\]`).ReplaceAllString(rustRegistration, `"gpus":[]`))
	for _, field := range []string{"device_id", "name", "vram_total_bytes", "compute_capability"} {
		other := strings.Replace(rustRegistration, `"`+field+`"`, `"another"`, 1)
		got := s.must(422, "POST", "/v2/nodes/register", other)
		if !strings.Contains(got.text, ": capabilities.gpus[0]: missing field `"+field+"` at line 1 column ") {
			t.Errorf("without %s: %s", field, got.text)
		}
	}
}

// faultsInService are bodies of heartbeats, and what is said of them.
func faultsInService() map[string]string {
	const slots = "pools[0].slots_free: invalid "
	pool := func(slots string) string { return `{"timestamp":"now","pools":[{"pool_id":"p","slots_free":` + slots }
	return map[string]string{
		pool(`"x","ready":true}]}`): slots + `type: string "x", expected u32 at line 1 column 59`,
		pool(`3.0}]}`):              slots + "type: floating point `3.0`, expected u32 at line 1 column 59",
		pool(`1e3}]}`):              slots + "type: floating point `1000.0`, expected u32 at line 1 column 59",
		pool(`-1}]}`):               slots + "value: integer `-1`, expected u32 at line 1 column 58",
		pool(`4294967296}]}`):       slots + "value: integer `4294967296`, expected u32 at line 1 column 66",
		pool(`null}]}`):             slots + "type: null, expected u32 at line 1 column 60",
		pool(`"` + strings.Repeat("x", 2000) + `"}]}`): slots + `type: string "` + strings.Repeat("x", 1023) +
			`…", expected u32 at line 1 column 2058`,
		pool(`[3]}]}`): slots + "type: sequence, expected u32 at line 1 column 56",

		pool("3,\n\"slots_free\" :3}]}"): "pools[0]: duplicate field `slots_free` at line 2 column 13",

		`{"pools":{},"timestamp":1}`: "pools: invalid type: map, expected a sequence at line 1 column 9",
		`{"timestamp":1}`:            "timestamp: invalid type: integer `1`, expected a string at line 1 column 14",
		`{"x":"é","pools":1}`:        "pools: invalid type: integer `1`, expected a sequence at line 1 column 19",
		`{"timestamp":true}`:         "timestamp: invalid type: boolean `true`, expected a string at line 1 column 17",
		`{"pools":[]}`:               "missing field `timestamp` at line 1 column 12",
		`{"x":{"y":[1,{}]}}`:         "missing field `timestamp` at line 1 column 18",

		`{"timestamp":"","pools":[{}],"x":1}`: "pools[0]: missing field `pool_id` at line 1 column 27",

		`[]`:   "invalid length 0, expected struct HeartbeatRequest with 2 elements at line 1 column 2",
		`null`: "invalid type: null, expected struct HeartbeatRequest at line 1 column 4",

		pool("3,\"ready\":true}]}"): "pools[0]: missing field `draining` at line 1 column 71",
	}
}

// wantFields looks for the names of fields in an answer. Recorded traffic has those of the
// registration besides.
func (s *service) wantFields(path, registration, has, lacks string) {
	s.t.Helper()
	text := s.must(200, "GET", path, "").text
	count := func(field string) int {
		found := strings.Count(text, `"`+field+`"`) + strings.Count(text, `"`+field+`\"`)
		if strings.HasSuffix(path, ".har") {
			found -= strings.Count(registration, `"`+field+`"`)
		}
		return found
	}
	for _, field := range strings.Fields(has) {
		if count(field) == 0 {
			s.t.Errorf("%s lacks %s: %s", path, field, text)
		}
	}
	for _, field := range strings.Fields(lacks) {
		if count(field) != 0 {
			s.t.Errorf("%s has %s: %s", path, field, text)
		}
	}
}
