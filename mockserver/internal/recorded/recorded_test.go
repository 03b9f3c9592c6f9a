package recorded_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/recorded"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const node = `{"node_id":"a","machine_id":"m","address":"http://h:1","pools":[],"capabilities":{},` +
	`"status":"Online","registered_at_ms":1,"last_heartbeat_ms":2}`

// TestEncodings reads a list as shells write it into a file, Windows PowerShell among them.
func TestEncodings(t *testing.T) {
	const list = `{"nodes":[` + node + `]}`
	for name, text := range map[string]string{
		"UTF-8": list, "UTF-8 with its mark": "\ufeff" + list,
		"UTF-16": "\xff\xfe" + strings.Join(strings.Split(list, ""), "\x00") + "\x00",
	} {
		if nodes, _, err := recorded.Nodes([]byte(text), spec.Nodes(), time.Now); err != nil || len(nodes) != 1 {
			t.Errorf("%s: %v, %v", name, nodes, err)
		}
	}
}

// TestNames takes fields by their exact names.
func TestNames(t *testing.T) {
	list := strings.NewReplacer(`"status"`, `"Version":"7","status"`, `"Online"`, `"Online","Status":"Failed"`).
		Replace(`{"Nodes":[],"nodes":[` + node + `],"Log":{}}`)
	nodes, _, err := recorded.Nodes([]byte(list), spec.Nodes(), time.Now)
	if err != nil || len(nodes) != 1 || nodes[0].Status != nodeapi.NodeStatusOnline ||
		nodes[0].Registration.Version != nil {
		t.Errorf("%+v, %v", nodes, err)
	}
	list = strings.Replace(`{"nodes":[`+node+`]}`, "nodes", "Nodes", 1)
	if nodes, _, err := recorded.Nodes([]byte(list), spec.Nodes(), time.Now); err == nil {
		t.Errorf("a list of Nodes is read: %+v", nodes)
	}
}

// TestNowIsWhenTheListHasBeenRead asks for the time only when the list has turned out to be one.
func TestNowIsWhenTheListHasBeenRead(t *testing.T) {
	asked := 0
	clock := func() time.Time { asked++; return time.UnixMilli(5000) }
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
