package main

import (
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/cli/settingsdoc"
)

func TestSettingsAreDocumented(t *testing.T) {
	for _, command := range newCommand().Commands() {
		settingsdoc.Check(t, "../../docs/settings.md", command)
	}
}
