package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const overlaid = "../../openapi/in-service.overlay.yaml"

func TestOverlay(t *testing.T) {
	stdout, _ := nodecontract(t, 0, "overlay", overlaid)
	if want := "It refuses a pool that lacks one of these fields."; !strings.Contains(stdout, want) {
		t.Errorf("no %q in:\n%s", want, stdout)
	}

	document := filepath.Join(t.TempDir(), "in-service.yaml")
	nodecontract(t, 0, "overlay", overlaid, "--write", document)
	nodecontract(t, 0, "diff", "--base", overlaid, "--document", document, "--fail-on", "any")
	stdout, _ = nodecontract(t, 1, "diff", "--base", nodes, "--document", overlaid, "--fail-on", "any")
	if want := "the request property `capabilities/gpus` became required"; !strings.Contains(stdout, want) {
		t.Errorf("no %q in:\n%s", want, stdout)
	}
}

// An overlay that no longer fits its document is an error of all commands that read it.
func TestOverlayThatDoesNotFit(t *testing.T) {
	file := written(t, "another.overlay.yaml", `
overlay: 1.0.0
info: {title: Another, version: "1"}
extends: nodes.yaml
actions:
  - {target: $.components.schemas.Lost, description: It is lost., remove: true}
`)
	base, err := os.ReadFile(nodes)
	if err != nil {
		t.Fatal(err)
	}
	const want = `another.overlay.yaml: apply the overlay to nodes.yaml`
	for _, args := range [][]string{
		{"overlay", file},
		{"check", "--pact", pact, "--document", file},
		{"diff", "--base", nodes, "--document", file},
	} {
		if _, stderr := nodecontract(t, 2, args...); !strings.Contains(stderr, "read the document that it extends") &&
			args[0] != "overlay" {
			t.Errorf("%s without the document: %s", args[0], stderr)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "nodes.yaml"), base, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"overlay", file},
		{"check", "--pact", pact, "--document", file},
		{"diff", "--base", nodes, "--document", file},
	} {
		if _, stderr := nodecontract(t, 2, args...); !strings.Contains(stderr, want) ||
			!strings.Contains(stderr, "Lost") {
			t.Errorf("%s with a document that has moved on: %s", args[0], stderr)
		}
	}
}

// An overlay whose parts are of other types is an error that says where.
func TestOverlayThatIsNone(t *testing.T) {
	file := written(t, "none.overlay.yaml", "overlay: 1.0.0\ninfo: 5\nextends: nodes.yaml\nactions: 7\n")
	const want = "read the overlay: line 2: a value is a number: must be an object; " +
		"line 4: a value is a number: must be a list\n"
	for _, args := range [][]string{
		{"overlay", file},
		{"check", "--pact", pact, "--document", file},
	} {
		if _, stderr := nodecontract(t, 2, args...); !strings.HasSuffix(stderr, "none.overlay.yaml: "+want) {
			t.Errorf("%s says %s, want %s", args[0], stderr, want)
		}
	}
}
