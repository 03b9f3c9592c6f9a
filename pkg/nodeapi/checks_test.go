package nodeapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// The generated checks and an OpenAPI validator find fault with the same places of every
// request and answer.
func TestChecksAgreeWithTheDocument(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	uris := openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(func(text string) error {
		_, err := url.Parse(text)
		return err
	}))
	agree := func(t *rapid.T, schema string, body interface{ Validate() []nodeapi.Violation }) {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		declared := doc.Components.Schemas[schema].Value
		want, got := map[string]bool{}, map[string]bool{}
		places(declared.VisitJSON(value, openapi3.EnableFormatValidation(), uris, openapi3.MultiErrors()), want)
		for _, v := range body.Validate() {
			got[v.Pointer] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\nplaces (-document +checks):\n%s", text, diff)
		}
	}
	t.Run("register",
		rapid.MakeCheck(func(t *rapid.T) { agree(t, "RegisterRequest", registerRequest.Draw(t, "body")) }))
	t.Run("heartbeat",
		rapid.MakeCheck(func(t *rapid.T) { agree(t, "HeartbeatRequest", heartbeatRequest.Draw(t, "body")) }))
	t.Run("registered",
		rapid.MakeCheck(func(t *rapid.T) { agree(t, "RegisterResponse", registerResponse.Draw(t, "body")) }))
	t.Run("beaten",
		rapid.MakeCheck(func(t *rapid.T) { agree(t, "HeartbeatResponse", heartbeatResponse.Draw(t, "body")) }))
	t.Run("list", rapid.MakeCheck(func(t *rapid.T) { agree(t, "NodeList", nodeList.Draw(t, "body")) }))
}

// places adds the JSON pointers of a validator's errors.
func places(err error, to map[string]bool) {
	switch err := err.(type) {
	case openapi3.MultiError:
		for _, one := range err {
			places(one, to)
		}
	case *openapi3.SchemaError:
		if parts, ok := errors.AsType[openapi3.MultiError](err.Origin); ok { // of an allOf
			places(parts, to)
			return
		}
		to["/"+strings.Join(err.JSONPointer(), "/")] = true
	}
}

// What bodies are drawn from: mostly what is legal, with values at and beyond
// the bounds mixed in.
var (
	id = rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._:-]{0,9}`),
		rapid.SampledFrom([]string{"", "a/b", ".a", "é", strings.Repeat("a", 128), strings.Repeat("a", 129)}))
	word = rapid.OneOf(rapid.StringMatching(`[ -~]{1,9}`),
		rapid.SampledFrom([]string{
			"", "x y", "\x00", strings.Repeat("v", 64), strings.Repeat("é", 256),
			strings.Repeat("v", 1024),
		}))
	address = rapid.SampledFrom([]string{
		"http://192.168.1.100:9200", "https://a/b/", "http://[::1]:80", "http://[::1", "http://a:port", "http://a%zz",
		"http://", "ftp://a", "http://a b", "http://a?b", "", "http://" + strings.Repeat("a", 2041),
		"http://" + strings.Repeat("a", 2042),
	})
	cuda  = rapid.SampledFrom([]string{"12.1", "", "1.2.3.4", "1.2.3.4.5", "twelve", "12."})
	small = rapid.SampledFrom([]int32{-1, 0, 1, 2, 1024, 1025, 65535, 65536, 65537, 1_000_000, 1_000_001})
	large = rapid.SampledFrom([]int64{-1, 0, 1, 48_000, 1_000_000_000, 1_000_000_001, 1<<53 - 1, 1 << 53})

	capabilities = rapid.Custom(func(t *rapid.T) nodeapi.NodeCapabilities {
		return nodeapi.NodeCapabilities{
			GPUCount: small.Draw(t, "gpu_count"), TotalVRAMMB: large.Draw(t, "total_vram_mb"),
			CUDAVersion:   cuda.Draw(t, "cuda_version"),
			Gpus:          rapid.Ptr(rapid.SliceOfN(gpu, 0, 3), true).Draw(t, "gpus"),
			CPUCores:      rapid.Ptr(small, true).Draw(t, "cpu_cores"),
			RAMTotalBytes: rapid.Ptr(large, true).Draw(t, "ram_total_bytes"),
		}
	})
	gpu = rapid.Custom(func(t *rapid.T) nodeapi.GPU {
		return nodeapi.GPU{
			DeviceID: small.Draw(t, "device_id"), Name: word.Draw(t, "name"),
			VRAMTotalBytes: large.Draw(t, "vram_total_bytes"), ComputeCapability: word.Draw(t, "compute_capability"),
		}
	})
	registerRequest = rapid.Custom(func(t *rapid.T) nodeapi.RegisterRequest {
		return nodeapi.RegisterRequest{
			NodeID: id.Draw(t, "node_id"), MachineID: id.Draw(t, "machine_id"), Address: address.Draw(t, "address"),
			Pools: slice(id, 256).Draw(t, "pools"), Capabilities: capabilities.Draw(t, "capabilities"),
			Version: rapid.Ptr(word, true).Draw(t, "version"),
		}
	})
	pool = rapid.Custom(func(t *rapid.T) nodeapi.PoolStatus {
		return nodeapi.PoolStatus{
			PoolID: id.Draw(t, "pool_id"), SlotsFree: small.Draw(t, "slots_free"),
			SlotsTotal:      rapid.Ptr(small, true).Draw(t, "slots_total"),
			VRAMFreeBytes:   rapid.Ptr(large, true).Draw(t, "vram_free_bytes"),
			Engine:          rapid.Ptr(word, true).Draw(t, "engine"),
			ModelsAvailable: rapid.Ptr(rapid.SliceOfN(word, 0, 3), true).Draw(t, "models_available"),
		}
	})
	heartbeatRequest = rapid.Custom(func(t *rapid.T) nodeapi.HeartbeatRequest {
		return nodeapi.HeartbeatRequest{
			Timestamp: time.Unix(1_759_276_800, 0).UTC(),
			Pools:     slice(pool, 256).Draw(t, "pools"),
		}
	})
)

// What answers are drawn from.
var (
	registerResponse = rapid.Custom(func(t *rapid.T) nodeapi.RegisterResponse {
		return nodeapi.RegisterResponse{
			Success: rapid.Bool().Draw(t, "success"), Message: word.Draw(t, "message"), NodeID: id.Draw(t, "node_id"),
		}
	})
	heartbeatResponse = rapid.Custom(func(t *rapid.T) nodeapi.HeartbeatResponse {
		return nodeapi.HeartbeatResponse{NextHeartbeatMs: large.Draw(t, "next_heartbeat_ms")}
	})
	reportedCapabilities = rapid.Custom(func(t *rapid.T) nodeapi.ReportedCapabilities {
		has := capabilities.Draw(t, "capabilities")
		return nodeapi.ReportedCapabilities{
			GPUCount:    rapid.Ptr(small, true).Draw(t, "gpu_count"),
			TotalVRAMMB: rapid.Ptr(large, true).Draw(t, "total_vram_mb"),
			CUDAVersion: rapid.Ptr(cuda, true).Draw(t, "cuda_version"), Gpus: has.Gpus, CPUCores: has.CPUCores,
			RAMTotalBytes: has.RAMTotalBytes,
		}
	})
	status = rapid.SampledFrom([]nodeapi.NodeStatus{
		nodeapi.NodeStatusRegistering, nodeapi.NodeStatusFailed, "online",
		"",
	})
	node = rapid.Custom(func(t *rapid.T) nodeapi.Node {
		return nodeapi.Node{
			NodeID: id.Draw(t, "node_id"), MachineID: id.Draw(t, "machine_id"), Address: address.Draw(t, "address"),
			Pools: slice(id, 256).Draw(t, "pools"), Capabilities: reportedCapabilities.Draw(t, "capabilities"),
			Status: status.Draw(t, "status"), RegisteredAtMs: large.Draw(t, "registered_at_ms"),
			LastHeartbeatMs: rapid.Ptr(large, true).Draw(t, "last_heartbeat_ms"),
			Version:         rapid.Ptr(word, true).Draw(t, "version"),
		}
	})
	nodeList = rapid.Custom(func(t *rapid.T) nodeapi.NodeList {
		nodes := rapid.SliceOfN(node, 0, 2).Draw(t, "nodes")
		if rapid.IntRange(0, 9).Draw(t, "no nodes") == 0 {
			nodes = nil
		}
		return nodeapi.NodeList{Count: small.Draw(t, "count"), Nodes: nodes}
	})
)

// slice draws nil, few items, or one more than the contract has room for.
func slice[T any](item *rapid.Generator[T], most int) *rapid.Generator[[]T] {
	return rapid.Custom(func(t *rapid.T) []T {
		switch rapid.IntRange(0, 19).Draw(t, "size") {
		case 0:
			return nil
		case 1:
			return make([]T, most+1)
		case 2:
			return make([]T, most)
		default:
			return rapid.SliceOfN(item, 0, 3).Draw(t, "items")
		}
	})
}

// A text may be a URL in a field that takes none, and may be long.
func TestViolationsRepeatNoPassword(t *testing.T) {
	for _, address := range []string{
		"http://user:p4ss@host:x", "http://user:p4ss%zz@host", "ftp://user:p4ss@host", "user:p4ss@host",
		"http://user:p4ss/x@host", "ftp://user:p@p4ss@host", "http://user:p4ss@" + strings.Repeat("h", 3000),
	} {
		request := nodeapi.RegisterRequest{Address: address, Pools: []string{address, address}}
		node := nodeapi.Node{Status: nodeapi.NodeStatus(address)}
		for _, v := range append(request.Validate(), node.Validate()...) {
			if strings.Contains(v.Detail, "p4ss") || len(v.Detail) > 256 {
				t.Errorf("%s: %s %s", address, v.Pointer, v.Detail)
			}
		}
	}
}

// Few ids are compared in another way than many.
func TestPoolsThatAreNamedTwice(t *testing.T) {
	for _, count := range []int{2, 16, 17, 256} {
		request := nodeapi.RegisterRequest{NodeID: "n", MachineID: "m", Address: "http://h:1"}
		for i := range count {
			request.Pools = append(request.Pools, fmt.Sprint("pool-", i))
		}
		if wrong := request.Validate(); wrong != nil {
			t.Errorf("%d pools: %v", count, wrong)
		}
		request.Pools[0] = request.Pools[count-1]
		if wrong := request.Validate(); len(wrong) != 1 || wrong[0].Pointer != "/pools" {
			t.Errorf("the last of %d pools is also the first: %v", count, wrong)
		}
	}
}

func TestWhatIsWrongWithAnAddress(t *testing.T) {
	const (
		pattern   = `which does not match ^https?://[^\s/?#]+(/[^\s?#]*)?$`
		unschemed = `, which lacks its scheme, http:// or https://`
	)
	for address, want := range map[string]string{
		"foo:9":         `is "foo:9", which lacks its scheme, as in http://foo:9`,
		"10.0.0.1:9200": `is "10.0.0.1:9200", which lacks its scheme, as in http://10.0.0.1:9200`,
		"user:p4ss@h":   `is "***@h"` + unschemed,
		strings.Repeat("h", 80): `is "` + strings.Repeat("h", 80) + `", which lacks its scheme, as in http://` +
			strings.Repeat("h", 80),
		strings.Repeat("h", 81):       `is "` + strings.Repeat("h", 80) + `"…` + unschemed,
		strings.Repeat("h", 79) + "é": `is "` + strings.Repeat("h", 79) + `"…` + unschemed,
		"ftp://h":                     `is "ftp://h", ` + pattern,
		"http//h":                     `is "http//h", ` + pattern,
		" ":                           `is " ", ` + pattern,
		"http://[::1":                 `is "http://[::1", which is no URI: missing ']' in host`,
		"http://user:p4ss@[::1":       `is "***@[::1", which is no URI`,
		"http://user@h":               "",
	} {
		found := nodeapi.RegisterRequest{
			NodeID: "n", MachineID: "m", Address: address, Pools: []string{},
		}.Validate()
		detail := ""
		for _, v := range found {
			detail += v.Detail
		}
		if detail != want {
			t.Errorf("%q: %s, want %s", address, detail, want)
		}
	}
}

func TestViolationsNameThePlaceAndWhatIsWrong(t *testing.T) {
	request := nodeapi.RegisterRequest{
		NodeID: "a/b", MachineID: strings.Repeat("m", 200), Address: "http://192.168.1.100:9200",
		Pools: []string{"pool-0", "", "pool-0"}, Capabilities: nodeapi.NodeCapabilities{
			GPUCount: -1, Gpus: &[]nodeapi.GPU{{Name: "\xff", ComputeCapability: "8.6"}},
		},
	}
	want := map[string]string{
		"/node_id":                  `is "a/b", which does not match ^[A-Za-z0-9][A-Za-z0-9._:-]*$`,
		"/machine_id":               `is "` + strings.Repeat("m", 80) + `"…, which is longer than 128 characters`,
		"/pools":                    `has "pool-0" twice`,
		"/pools/1":                  "is empty",
		"/capabilities/gpu_count":   "is -1, which is not within 0 to 1024",
		"/capabilities/gpus/0/name": `is "\xff", which is not UTF-8`,
	}
	for _, v := range request.Validate() {
		if want[v.Pointer] != v.Detail {
			t.Errorf("%s %s, want %q", v.Pointer, v.Detail, want[v.Pointer])
		}
		delete(want, v.Pointer)
	}
	for pointer, detail := range want {
		t.Errorf("missing: %s %s", pointer, detail)
	}
}
