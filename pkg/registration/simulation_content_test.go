package registration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// wrong returns what is wrong with the content of a request.
func (l *life) wrong(now time.Time, r *http.Request, op string, body []byte) string {
	if want := "Bearer " + l.node.world.token(l.node.late); r.Header.Get("Authorization") != want {
		return fmt.Sprintf("sends a %s with the token %q, want %q", op, r.Header.Get("Authorization"), want)
	}
	id := r.Header.Get("X-Correlation-Id")
	if id == "" || id == l.lastID || r.Header.Get("User-Agent") == "" {
		return "sends a " + op + " without a correlation id of its own, or without its name"
	}
	l.lastID = id
	if key, ok := r.Header["Idempotency-Key"]; !ok || len(key) > 0 {
		return "sends a " + op + " that net/http would not repeat on a connection that was closed"
	}
	if kind := r.Header.Get("Content-Type"); op != "deregister" && kind != "application/json" {
		return "sends a " + op + " of the kind " + kind
	}
	if f := l.oracle.flight; op == "heartbeat" && f.sent.After(f.begun) {
		return diff("heartbeat with its new token", string(l.carried), string(body))
	}
	switch op {
	case "register":
		var got nodeapi.RegisterRequest
		if err := json.Unmarshal(body, &got); err != nil {
			return err.Error()
		}
		l.announced = got.Pools
		return diff(op, l.description(), got)
	case "heartbeat":
		var got nodeapi.HeartbeatRequest
		if err := json.Unmarshal(body, &got); err != nil {
			return err.Error()
		}
		if !got.Timestamp.Equal(l.oracle.flight.begun) {
			return fmt.Sprintf("sends a heartbeat of %v", got.Timestamp)
		}
		l.carried = body
		return l.pools.wrong(now, got.Pools)
	}
	return ""
}

// description is what a node says of itself.
func (l *life) description() nodeapi.RegisterRequest {
	return nodeapi.RegisterRequest{
		NodeID: l.config.NodeID, MachineID: l.config.MachineID, Address: l.described.Address,
		Pools: l.described.Pools, Version: &l.described.Version,
		Capabilities: nodeapi.NodeCapabilities{
			GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1", Gpus: &[]nodeapi.GPU{},
		},
	}
}

func diff(what string, want, got any) string {
	if reflect.DeepEqual(want, got) { // as nearly always, and much quicker than cmp
		return ""
	}
	return "sends a " + what + " that is not as it should be (-want +got):\n" + cmp.Diff(want, got)
}
