//go:build pact

package main

import (
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/cli/settingsdoc"
)

func TestSettingsAreDocumented(t *testing.T) {
	settingsdoc.Check(t, "../../docs/settings.md", newCommand(func(string) string { return "" }))
}
