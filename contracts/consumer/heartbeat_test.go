//go:build pact

package consumer_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/pact-foundation/pact-go/v2/consumer"
	"github.com/pact-foundation/pact-go/v2/matchers"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// heartbeat returns the request that says this of the pools.
func heartbeat(pools ...object) consumer.Request {
	return request(http.MethodPost, "/v2/nodes/"+nodeID+"/heartbeat", object{
		"timestamp": timestamp(),
		"pools":     append([]object{}, pools...),
	})
}

// timestamp matches the time as the client writes it.
func timestamp() matchers.Matcher {
	return matchers.Term("2025-10-01T00:00:00Z", `\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z`)
}

// taken is what a node acts upon: whether it counts as alive, and for how long.
func taken() consumer.Response {
	return consumer.Response{Status: http.StatusOK, Body: object{
		"success":           true,
		"next_heartbeat_ms": matchers.Integer(10_000),
	}}
}

// pool returns the status of a pool that takes work, and what a heartbeat says of it.
func pool(id string) (registration.PoolStatus, object) {
	status := registration.PoolStatus{
		PoolID: id, Ready: true, SlotsFree: 3, SlotsTotal: 4,
		VRAMFreeBytes: 18_000_000_000,
	}
	return status, object{
		"pool_id":         id,
		"ready":           true,
		"draining":        false,
		"slots_free":      3,
		"slots_total":     4,
		"vram_free_bytes": 18_000_000_000,
	}
}

// reports returns a status callback that always says the same.
func reports(pools ...registration.PoolStatus) registration.StatusFunc {
	return func(context.Context) ([]registration.PoolStatus, error) { return pools, nil }
}

func driveHeartbeat(t *testing.T, p pact) {
	beats := func(what string, arrives arrival, status []registration.PoolStatus, said ...object) {
		p.play(t, func(t *testing.T, url string) {
			n := newNode(t, url, arrives.edit)
			start(t, n, reports(status...))
			n.await(t, registration.EventRegistered)
			n.await(t, registration.EventOnline)
			stop(t, n)
		}, arrives.exchange, exchange{what, registered(), heartbeat(said...), taken()})
	}
	one, saidOfOne := pool("pool-0")
	other, saidOfOther := pool("pool-1")
	beats("a heartbeat with one pool", usual(), []registration.PoolStatus{one}, saidOfOne)
	beats("a heartbeat with several pools", full(), []registration.PoolStatus{one, other}, saidOfOne, saidOfOther)
	beats("a heartbeat with no pools", bare(), nil)

	draining, saidOfDraining := pool("pool-0")
	draining.Ready, draining.Draining, draining.SlotsFree = false, true, 0
	saidOfDraining["ready"], saidOfDraining["draining"], saidOfDraining["slots_free"] = false, true, 0
	beats("a heartbeat with a pool that drains", usual(), []registration.PoolStatus{draining}, saidOfDraining)

	rich, saidOfRich := pool("pool-0")
	rich.Engine, rich.ModelsAvailable = "llamacpp", []string{"llama-3-8b", "qwen-2.5-7b"}
	saidOfRich["engine"], saidOfRich["models_available"] = "llamacpp", []string{"llama-3-8b", "qwen-2.5-7b"}
	beats("a heartbeat with all that a pool can tell", usual(), []registration.PoolStatus{rich}, saidOfRich)

	driveForgotten(t, p)
	for _, refused := range refusals() {
		driveRefusedHeartbeat(t, p, refused)
	}
}

// driveForgotten has orchestratord forget the node, which registers again and beats.
// The two heartbeats say different things so that the pact can distinguish them.
func driveForgotten(t *testing.T, p pact) {
	before, saidBefore := pool("pool-0")
	before.SlotsFree, saidBefore["slots_free"] = 1, 1
	after, saidAfter := pool("pool-0")

	var beaten atomic.Bool
	status := func(context.Context) ([]registration.PoolStatus, error) {
		if beaten.Swap(true) {
			return []registration.PoolStatus{after}, nil
		}
		return []registration.PoolStatus{before}, nil
	}
	p.play(t, func(t *testing.T, url string) {
		n := newNode(t, url)
		start(t, n, status)
		n.await(t, registration.EventRegistered)
		n.await(t, registration.EventForgotten)
		n.await(t, registration.EventRegistered)
		n.await(t, registration.EventOnline)
		stop(t, n)
	},
		newcomer(),
		exchange{
			"a heartbeat of a node that is not registered", unregistered(), heartbeat(saidBefore),
			consumer.Response{Status: http.StatusNotFound},
		},
		exchange{"a heartbeat with one pool", registered(), heartbeat(saidAfter), taken()},
	)
}

// driveRefusedHeartbeat has orchestratord take the registration of a node, and then
// not its heartbeat.
func driveRefusedHeartbeat(t *testing.T, p pact, refused refusal) {
	status, said := pool("pool-0")
	p.play(t, func(t *testing.T, url string) {
		n := newNode(t, url, func(c *registration.Config) { c.APIToken = rotatesTo(refused.token) })
		start(t, n, reports(status))
		n.await(t, registration.EventRegistered)
		refusedBy(t, n.await(t, registration.EventFailed).Err, refused)
		stop(t, n)
	}, newcomer(), refused.of("a heartbeat", heartbeat(said)))
}

// rotatesTo returns the source of a token that is good for a registration, and of another
// one from then on.
func rotatesTo(other string) registration.TokenSource {
	var registered atomic.Bool
	return func(context.Context) (string, error) {
		if registered.Swap(true) {
			return other, nil
		}
		return token, nil
	}
}

func start(t *testing.T, n node, status registration.StatusFunc) {
	t.Helper()
	if err := n.StartHeartbeat(t.Context(), status); err != nil {
		t.Fatal(err)
	}
}

func stop(t *testing.T, n node) {
	t.Helper()
	if err := n.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
