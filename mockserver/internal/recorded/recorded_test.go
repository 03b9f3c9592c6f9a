package recorded_test

import (
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/recorded"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// TestNowIsWhenTheListHasBeenRead asks for the time only when the list has turned out to be one.
func TestNowIsWhenTheListHasBeenRead(t *testing.T) {
	asked := 0
	clock := func() time.Time { asked++; return time.UnixMilli(5000) }
	const node = `{"node_id":"a","machine_id":"m","address":"http://h:1","pools":[],"capabilities":{},` +
		`"status":"Online","registered_at_ms":1,"last_heartbeat_ms":2}`
	if _, _, err := recorded.Nodes([]byte(`{"nodes":[`+node+`,{}]}`), spec.Nodes(), clock); err == nil || asked > 0 {
		t.Errorf("%v, and the time was read %d times before the end of the list", err, asked)
	}
	const younger = `{"node_id":"b","machine_id":"m","address":"http://h:1","pools":[],"capabilities":{},` +
		`"status":"Registering","registered_at_ms":3}`
	nodes, now, err := recorded.Nodes([]byte(`{"nodes":[`+node+`,`+younger+`]}`), spec.Nodes(), clock)
	if err != nil || asked != 1 || now.UnixMilli() != 5000 {
		t.Fatalf("%v, the time was read %d times and is %s", err, asked, now)
	}
	if !nodes[1].RegisteredAt.Equal(now) || nodes[0].LastHeartbeat.UnixMilli() != 4999 ||
		nodes[0].RegisteredAt.UnixMilli() != 4998 {
		t.Errorf("the nodes are %+v, want their latest time to be %s", nodes, now)
	}
}
