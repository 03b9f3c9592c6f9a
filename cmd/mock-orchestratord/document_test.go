package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocument has an orchestratord refuse a heartbeat as the one in service does, which only the
// document with its overlay has.
func TestDocument(t *testing.T) {
	orchestratord := start(t, nil, "--dialect", "in-service")
	for file, want := range map[string]int{
		"../../openapi/nodes.yaml":                       driftStatus,
		"../../openapi/in-service.overlay.yaml":          0,
		"../../openapi/released/in-service.overlay.yaml": 0,
	} {
		t.Run(file, func(t *testing.T) {
			program := start(t, nil, "--upstream", orchestratord.url, "--document", file, "--fail-on-drift")
			answer, err := http.Post(program.url+"/v2/nodes/n/heartbeat", "application/json", strings.NewReader(
				`{"timestamp":"now","pools":[]}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusNotFound {
				t.Errorf("answered %d, want 404", answer.StatusCode)
			}
			if status, _, stderr := program.stop(); status != want {
				t.Errorf("exit status %d, want %d: %s", status, want, stderr)
			}
		})
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	at := func(name, text string) string { return write(t, filepath.Join(dir, name), text) }
	const url = "http://127.0.0.1:1"
	overlay := at("o.yaml", "overlay: 1.0.0\ninfo: {title: t, version: v}\nextends: absent.yaml\nactions:\n"+
		"- {target: $.info, description: d, update: {title: t}}\n")
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no upstream": {[]string{"--document", overlay}, "--document needs --upstream"},
		"no name":     {[]string{"--upstream", url, "--document", ""}, `--document is "": a file has a name`},
		"no file":     {[]string{"--upstream", url, "--document", filepath.Join(dir, "none")}, "--document: "},
		"a folder":    {[]string{"--upstream", url, "--document", dir}, dir + " is not a regular file"},
		"of nothing":  {[]string{"--upstream", url, "--document", overlay}, "read the document that it extends"},
		"another one": {
			[]string{"--upstream", url, "--document", at("x.yaml", "openapi: 3.0.3\n")}, "x.yaml: it has no info",
		},
		"a strange one": {
			[]string{
				"--upstream", url, "--document",
				at("z.yaml", "openapi: 3.0.3\ninfo: {title: t, version: v}\n"+
					"paths:\n  /v2/nodes: {get: {responses: {}}}\n"),
			},
			"z.yaml: it lacks DELETE /v2/nodes/{id}, POST /v2/nodes/register, POST /v2/nodes/{id}/heartbeat of",
		},
		"no YAML": {[]string{"--upstream", url, "--document", at("y.yaml", "{")}, "y.yaml: it does not describe"},
		"of several files": {
			[]string{"--upstream", url, "--document", "../../openapi/mock-control.yaml"},
			"mock-control.yaml: it does not describe",
		},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, test.says, test.args...)
		})
	}
}
