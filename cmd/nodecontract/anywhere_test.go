package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestAnywhere runs each command in an empty directory, as an installed program is run. The
// document, the exemptions and the overlay are then those that are compiled in.
func TestAnywhere(t *testing.T) {
	const token = "a-token-for-this-test-alone-0123456789"
	t.Setenv(cli.EnvToken, token)
	committed := absolute(t, "../../contracts/pacts/pool-managerd-orchestratord.json")
	archive := written(t, "x.har", `{"log":{"version":"1.2","entries":[{"request":{"method":"DELETE",`+
		`"url":"https://o.example/v2/nodes/n","headers":[]},"response":{"status":204,"headers":[]}}]}}`)
	mock := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithTokens(token),
		mockserver.WithDialect(mockserver.InService))
	document := absolute(t, nodes)
	t.Chdir(t.TempDir())
	nodecontract(t, 0, "overlay", "--write", "in-service.yaml")
	for name, test := range map[string]struct {
		status int
		args   []string
		want   string
	}{
		"check":   {0, []string{"check", "--pact", committed}, " 0 left out\n"},
		"diff":    {0, []string{"diff", "--base", document, "--fail-on", "all"}, "against " + document},
		"drift":   {0, []string{"drift", archive}, "against openapi/nodes.yaml"},
		"overlay": {0, []string{"overlay"}, "It refuses a pool that lacks one of these fields."},
		"conform": {1, conformArgs(mock.URL), "registerNode: 401 "},
		"conform to a document": {
			0, append(conformArgs(mock.URL), "--document", "in-service.yaml"), "keeps the contract",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if stdout, _ := nodecontract(t, test.status, test.args...); !strings.Contains(stdout, test.want) {
				t.Errorf("no %q in:\n%s", test.want, stdout)
			}
		})
	}
	nodecontract(t, 1, "check", "--pact", committed, "--exempt", "")
	if left, err := os.ReadDir("."); err != nil || len(left) != 1 {
		t.Errorf("the commands have left %v, %v", left, err)
	}
}

// conformArgs hold an orchestratord to all that the document says of wrong tokens.
func conformArgs(url string) []string {
	return []string{"conform", "--provider-url", url, "--level", "document", "--only", "tokens"}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
