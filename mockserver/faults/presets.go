package faults

import (
	_ "embed"
	"fmt"
	"maps"
	"sync"

	"github.com/llama-orch/node-registration/mockserver/control"
)

//go:embed presets.yaml
var presetsFile []byte

// presets reads the presets once. They are compiled in: that one is wrong shows with the
// first test.
var presets = sync.OnceValue(func() map[string]control.FaultDefinition {
	read, err := Parse(presetsFile)
	if err != nil {
		panic(fmt.Sprintf("faults: presets: %v", err))
	}
	return read
})

// Presets returns the faults that a server brings along, by name. They are switched off,
// and their rules are not to be changed.
func Presets() map[string]control.FaultDefinition {
	return maps.Clone(presets())
}
