//go:build pact

package consumer_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/pact-foundation/pact-go/v2/consumer"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"

	"github.com/llama-orch/node-registration/pkg/registration"
)

type object = map[string]any

// registration of the node that newNode returns.
func registrationOf() object {
	return object{
		"node_id":    nodeID,
		"machine_id": machineID,
		"address":    address,
		"pools":      []string{"pool-0"},
		"capabilities": object{
			"gpu_count":     2,
			"total_vram_mb": 48_000,
			"cuda_version":  "12.1",
			"gpus":          []object{},
		},
	}
}

func register(body object) consumer.Request {
	return request(http.MethodPost, "/v2/nodes/register", body)
}

// confirmed is what a node acts upon: whether it is registered.
func confirmed() consumer.Response {
	return consumer.Response{Status: http.StatusOK, Body: object{
		"success": true,
		"message": matchers.Like("node registered"),
		"node_id": matchers.Like(nodeID),
	}}
}

// newcomer is the exchange that every node's life starts with.
func newcomer() exchange {
	return exchange{"a registration of a new node", unregistered(), register(registrationOf()), confirmed()}
}

// arrival is a node of a kind, and how it registers.
type arrival struct {
	edit     func(*registration.Config)
	exchange exchange
}

func usual() arrival { return arrival{func(*registration.Config) {}, newcomer()} }

func full() arrival {
	edit, body := fullHardware()
	return arrival{
		edit,
		exchange{"a registration with all that a node can tell", unregistered(), register(body), confirmed()},
	}
}

func bare() arrival {
	edit, body := noHardware()
	return arrival{
		edit,
		exchange{"a registration of a node with neither GPUs nor pools", unregistered(), register(body), confirmed()},
	}
}

func driveRegister(t *testing.T, p pact) {
	registers := func(edits ...func(*registration.Config)) func(*testing.T, string) {
		return func(t *testing.T, url string) {
			if err := newNode(t, url, edits...).register(); err != nil {
				t.Error(err)
			}
		}
	}
	p.play(t, registers(), newcomer())
	p.play(t, registers(), exchange{
		"a registration of a node that is registered already", registered(), register(registrationOf()), confirmed(),
	})

	for _, arrives := range []arrival{full(), bare()} {
		p.play(t, registers(arrives.edit), arrives.exchange)
	}

	withoutToken := register(registrationOf())
	withoutToken.Headers = nil
	p.play(t, registers(func(c *registration.Config) { c.APIToken = nil }), exchange{
		"a registration without a token",
		append([]models.ProviderState{{Name: "no token is needed"}}, unregistered()...),
		withoutToken, confirmed(),
	})

	for _, refused := range refusals() {
		p.play(t, func(t *testing.T, url string) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := newNode(t, url, func(c *registration.Config) {
				c.APIToken = registration.StaticToken(refused.token)
				c.OnEvent = func(registration.Event) { cancel() } // before it tries again
			})
			defer context.AfterFunc(n.ctx, cancel)()
			refusedBy(t, n.Register(ctx), refused)
		}, refused.of("a registration", register(registrationOf())))
	}
}

// fullHardware returns a node with all optional fields, and how it registers.
func fullHardware() (func(*registration.Config), object) {
	edit := func(c *registration.Config) {
		c.Version = "0.1.0"
		c.Pools = []string{"pool-0", "pool-1"}
		c.Capabilities.CPUCores = 32
		c.Capabilities.RAMTotalBytes = 137_438_953_472
		c.Capabilities.GPUs = []registration.GPU{
			{DeviceID: 0, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24_000_000_000, ComputeCapability: "8.6"},
			{DeviceID: 1, Name: "NVIDIA GeForce RTX 3090", VRAMTotalBytes: 24_000_000_000, ComputeCapability: "8.6"},
		}
	}
	gpu := func(device int) object {
		return object{
			"device_id":          device,
			"name":               "NVIDIA GeForce RTX 3090",
			"vram_total_bytes":   24_000_000_000,
			"compute_capability": "8.6",
		}
	}
	body := registrationOf()
	body["version"] = "0.1.0"
	body["pools"] = []string{"pool-0", "pool-1"}
	capabilities := body["capabilities"].(object)
	capabilities["gpus"] = []object{gpu(0), gpu(1)}
	capabilities["cpu_cores"] = 32
	capabilities["ram_total_bytes"] = 137_438_953_472
	return edit, body
}

// noHardware returns a node with nothing to offer yet, and how it registers.
func noHardware() (func(*registration.Config), object) {
	edit := func(c *registration.Config) {
		c.Pools = nil
		c.Capabilities = registration.Capabilities{}
	}
	body := registrationOf()
	body["pools"] = []string{}
	body["capabilities"] = object{"gpu_count": 0, "total_vram_mb": 0, "cuda_version": "", "gpus": []object{}}
	return edit, body
}
