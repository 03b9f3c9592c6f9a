package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

const recordedList = `{"nodes":[{"node_id":"gpu-node-1","machine_id":"m","address":"http://h:1","pools":["pool-0"],` +
	`"capabilities":{"gpus":[],"cpu_cores":null,"ram_total_bytes":null},"status":"Online","registered_at_ms":1,` +
	`"last_heartbeat_ms":2,"version":null}],"count":1}`

func TestLoad(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "nodes.json"), recordedList)
	program := start(t, nil, "--dialect", "in-service", "--load", file)
	answer, err := http.Get(program.url + "/v2/nodes")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), `"node_id":"gpu-node-1"`) {
		t.Errorf("it lists %s (%v), want the node of the file", text, err)
	}
}

func TestFilesThatCannotBeLoaded(t *testing.T) {
	dir := t.TempDir()
	at := func(name, text string) string { return write(t, filepath.Join(dir, name), text) }
	broken := at("broken.json", strings.Replace(recordedList, `"m"`, `""`, 1))
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"none":     {[]string{"--load", filepath.Join(dir, "none")}, "no such file"},
		"a folder": {[]string{"--load", dir}, "--load: " + dir + " is not a regular file"},
		"broken":   {[]string{"--load", broken}, "--load " + broken + ": /nodes/0/machine_id: must"},
		"in front": {[]string{"--load", at("l", recordedList), "--upstream", "http://127.0.0.1:1"}, "in front of"},
		"of one dialect": {
			[]string{"--load", at("d", strings.Replace(recordedList, "gpu-node-1", "gpu node", 1))},
			"/nodes/0/node_id: must",
		},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, test.says, test.args...)
		})
	}
}
