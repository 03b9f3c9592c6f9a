// Command overlay applies an OpenAPI Overlay to the document that it extends, and writes the
// result.
//
//	go tool overlay -o in-service.gen.yaml in-service.overlay.yaml
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/llama-orch/node-registration/openapi/codegen/internal/program"
	"github.com/llama-orch/node-registration/openapi/overlay"
)

func main() { program.Run("overlay", run) }

func run(out, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	differences, err := overlay.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	base, err := os.ReadFile(filepath.Join(filepath.Dir(file), differences.Extends()))
	if err != nil {
		return err
	}
	document, err := differences.Apply(base)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	header := fmt.Sprintf("# Code generated from %s. DO NOT EDIT.\n", filepath.Base(file))
	return os.WriteFile(out, append([]byte(header), document...), 0o644)
}
