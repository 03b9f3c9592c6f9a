package manifests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestDashboard decodes the dashboard by Grafana's own types. A field that its panels and queries
// do not know is an error.
func TestDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile(filepath.Join(root, "deploy/grafana/node-registration.json"))
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 it is the form that every Grafana imports
	var decoded dashboard.Dashboard
	// Without a fault the error is an empty list, which is not nil.
	if err := decoded.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		t.Error(err)
	}
	if err := decoded.Validate(); err != nil {
		t.Error(err)
	}
	if len(decoded.Panels) == 0 {
		t.Error("the dashboard has no panel")
	}
}
