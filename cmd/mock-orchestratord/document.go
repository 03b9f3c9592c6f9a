package main

import (
	"fmt"

	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/internal/yamlwords"
	"github.com/llama-orch/node-registration/openapi/overlay"
)

// readDocument returns the document in a file, or that which an overlay in it makes of another one
// in its folder. Without a file there is none.
func readDocument(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	text, err := regularfile.ReadShort(file)
	if err != nil {
		return nil, fmt.Errorf("--document: %w", err)
	}
	document, err := overlay.Resolve(text, func(path string) ([]byte, error) {
		return regularfile.ReadBeside(file, path)
	})
	if err != nil {
		return nil, fmt.Errorf("--document %s: %w", file, yamlwords.Plain(err))
	}
	return document, nil
}
