// Package document reads the OpenAPI documents that are compiled in, and says in words
// where and how a value breaks a schema of theirs.
package document

import (
	"fmt"
	"net/url"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi"
)

// Nodes returns the document of the node API. It is the caller's own.
func Nodes() (*openapi3.T, error) { return load(openapi.Nodes) }

// Control returns the document of the control API. It is the caller's own.
func Control() (*openapi3.T, error) { return load(openapi.MockControl) }

func load(text []byte) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	// The one document that another refers to.
	loader.ReadFromURIFunc = func(*openapi3.Loader, *url.URL) ([]byte, error) { return openapi.Nodes, nil }
	doc, err := loader.LoadFromDataWithPath(text, &url.URL{})
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return doc, nil
}
