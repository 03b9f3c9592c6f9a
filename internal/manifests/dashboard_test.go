package manifests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// TestDashboard_lint decodes the dashboard by Grafana's own types. A field that its panels and queries
// do not know is an error.
func TestDashboard_lint(t *testing.T) {
	// Only those that the dashboard has: the others take 25 s of a processor to compile.
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	text, err := os.ReadFile(filepath.Join(root, "deploy/grafana/node-registration.json"))
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 it is the form that every Grafana imports
	var strict, decoded dashboard.Dashboard
	// Without a fault the error is an empty list, which is not nil; strict lacks its panels then.
	if err := strict.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		t.Error(err)
	}
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	if err := decoded.Validate(); err != nil {
		t.Error(err)
	}
	panels := 0
	for _, each := range decoded.Panels {
		if each.Panel != nil {
			panels++
			checkKnown(t, each.Panel)
		} else if len(each.RowPanel.Panels) > 0 {
			t.Errorf("the row %q has panels inside, which nobody checks", *each.RowPanel.Title)
		}
	}
	if panels == 0 {
		t.Error("the dashboard has no panel")
	}
}

// checkKnown finds what is decoded without a check, as no type of it is registered.
func checkKnown(t *testing.T, panel *dashboard.Panel) {
	t.Helper()
	if _, known := cog.ConfigForPanelcfgVariant(panel.Type); !known {
		t.Errorf("the panels of type %q are not registered", panel.Type)
	}
	for _, query := range panel.Targets {
		if _, unknown := query.(variants.UnknownDataquery); unknown {
			t.Errorf("the queries like %v are not registered", query)
		}
	}
}
