//go:build pact

package consumer_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/pact-foundation/pact-go/v2/consumer"
	"github.com/pact-foundation/pact-go/v2/matchers"

	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// driveAnyNode has a node registered, beating and leaving by requests that are matched by
// their form alone. A stub server that has nothing but the pact serves every node by them.
func driveAnyNode(t *testing.T, p pact) {
	forms := formsOf(t)
	edit, _ := fullHardware()
	one := func(c *registration.Config) { edit(c); c.Pools = c.Pools[:1] }
	registers := exchange{
		"a registration of any node", unregistered(),
		anyNode(http.MethodPost, matchers.S("/v2/nodes/register"), forms.registration()), confirmed(),
	}
	beats := exchange{
		"a heartbeat of any node", registered(), anyNode(http.MethodPost, forms.path("/heartbeat"), forms.heartbeat()),
		taken(),
	}
	status, _ := pool("pool-0")
	status.Engine, status.ModelsAvailable = "llamacpp", []string{"llama-3-8b"}
	p.play(t, func(t *testing.T, url string) {
		n := newNode(t, url, one)
		start(t, n, reports(status))
		n.await(t, registration.EventRegistered)
		n.await(t, registration.EventOnline)
		stop(t, n)
	}, registers, beats)
	p.play(t, func(t *testing.T, url string) {
		n := newNode(t, url, one)
		if err := errors.Join(n.register(), n.Deregister(t.Context())); err != nil {
			t.Error(err)
		}
	}, registers, exchange{
		"a deregistration of any node", registered(), anyNode(http.MethodDelete, forms.path(""), nil),
		consumer.Response{Status: http.StatusNoContent},
	})
}

// anyNode returns a request that carries any token.
func anyNode(method string, path matchers.Matcher, body any) consumer.Request {
	return consumer.Request{
		Method: method, Path: path, Body: body,
		Headers: matchers.MapMatcher{"Authorization": matchers.Term("Bearer "+token, "Bearer [!-~]+")},
	}
}

// forms are the schemas of the OpenAPI document, by name.
type forms openapi3.Schemas

func formsOf(t *testing.T) forms {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	return forms(document.Components.Schemas)
}

func (f forms) path(suffix string) matchers.Matcher {
	return matchers.Term("/v2/nodes/"+nodeID+suffix, "/v2/nodes/"+f.pattern("Identifier")+suffix)
}

func (f forms) registration() object {
	id := func(example string) matchers.Matcher { return matchers.Term(example, f.pattern("Identifier")) }
	gpu := func(device int) object {
		return object{
			"device_id":          f.number(device, "GPU", "device_id"),
			"name":               matchers.Term("NVIDIA GeForce RTX 3090", f.pattern("GPU", "name")),
			"vram_total_bytes":   f.number(24_000_000_000, "GPU", "vram_total_bytes"),
			"compute_capability": matchers.Term("8.6", f.pattern("GPU", "compute_capability")),
		}
	}
	return object{
		"node_id":    id(nodeID),
		"machine_id": id(machineID),
		"address":    matchers.Term(address, `https?://[A-Za-z0-9._:\[\]-]+`),
		"pools":      []any{id("pool-0")},
		"version":    matchers.Term("0.1.0", f.pattern("NodeVersion")),
		"capabilities": object{
			"gpu_count":       f.number(2, "NodeCapabilities", "gpu_count"),
			"total_vram_mb":   f.number(48_000, "NodeCapabilities", "total_vram_mb"),
			"cuda_version":    matchers.Term("12.1", f.pattern("NodeCapabilities", "cuda_version")),
			"gpus":            []any{gpu(0), gpu(1)},
			"cpu_cores":       f.number(32, "NodeCapabilities", "cpu_cores"),
			"ram_total_bytes": f.number(137_438_953_472, "NodeCapabilities", "ram_total_bytes"),
		},
	}
}

func (f forms) heartbeat() object {
	_, said := pool("pool-0")
	said["pool_id"] = matchers.Term("pool-0", f.pattern("Identifier"))
	said["ready"], said["draining"] = matchers.Like(true), matchers.Like(false)
	said["engine"] = matchers.Term("llamacpp", f.pattern("PoolStatus", "engine"))
	said["models_available"] = []any{matchers.Term("llama-3-8b", `[!-~]+`)}
	for _, field := range []string{"slots_free", "slots_total", "vram_free_bytes"} {
		said[field] = f.number(said[field].(int), "PoolStatus", field)
	}
	return object{"timestamp": timestamp(), "pools": []any{said}}
}

// schema returns a schema of the document, or the schema of a field of one.
func (f forms) schema(name string, field ...string) *openapi3.Schema {
	schema := f[name].Value
	for _, name := range field {
		schema = schema.Properties[name].Value
	}
	return schema
}

// pattern returns the pattern of the document as Pact writes it: without its anchors, since
// it has to match the whole anyway.
func (f forms) pattern(name string, field ...string) string {
	return strings.TrimSuffix(strings.TrimPrefix(f.schema(name, field...).Pattern, "^"), "$")
}

// number matches integers of fewer digits than the maximum of the document. Pact has no
// matcher for a range.
func (f forms) number(example int, name, field string) object {
	digits := len(strconv.FormatFloat(*f.schema(name, field).Max, 'f', 0, 64))
	return object{
		"pact:matcher:type": []object{
			{"pact:matcher:type": "integer"},
			{"pact:matcher:type": "regex", "regex": fmt.Sprintf("[0-9]{1,%d}", digits-1)},
		},
		"value": example,
	}
}
