package apidoc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/internal/apitext"
	"github.com/llama-orch/node-registration/internal/walkable"
)

// Load returns the document, whose parts know their lines. It fails if the document is
// invalid, refers to anything outside its folder, or is not walkable.
func Load(ctx context.Context, source Source) (*openapi3.T, error) {
	document, err := load(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source.Name, err)
	}
	return document, nil
}

func load(ctx context.Context, source Source) (*openapi3.T, error) {
	document, err := parse(ctx, source, true)
	if err = apitext.Explain(source.Data, err); err != nil {
		return nil, err
	}
	constants, err := nullConstants(document)
	if err == nil && source.overlaid {
		document, err = parse(ctx, source, false)
	}
	if err == nil {
		err = restoreNulls(document, constants)
	}
	if err != nil {
		return nil, err
	}
	if err := walkable.Check(document); err != nil {
		return nil, err
	}
	// The linters of the document validate its examples. The regular expressions of OpenAPI are
	// those of JavaScript, and Go cannot read some of them.
	options := []openapi3.ValidationOption{
		openapi3.DisableExamplesValidation(), openapi3.DisableSchemaPatternValidation(),
	}
	if document.IsOpenAPI31OrLater() {
		options = append(options, openapi3.AllowExtraSiblingFields("pathItems")) // which kin-openapi does not know
	}
	if err := document.Validate(ctx, options...); err != nil {
		return nil, err
	}
	return document, nil
}

// parse reads the document. With lines, each part of it knows in which line it is.
func parse(ctx context.Context, source Source, lines bool) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.Context, loader.IncludeOrigin = ctx, lines
	folder, file := path.Split(filepath.ToSlash(source.Name))
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		return source.other(folder, location)
	}
	return loader.LoadFromDataWithPath(source.Data, &url.URL{Path: folder + file})
}

// other reads another file that the document refers to.
func (s Source) other(folder string, location *url.URL) ([]byte, error) {
	if location.Scheme != "" || location.Host != "" {
		return nil, fmt.Errorf("%s is not read: a document refers to nothing but files", location)
	}
	inner, err := filepath.Rel(filepath.FromSlash(cmp.Or(folder, ".")), filepath.FromSlash(location.Path))
	if err != nil || !filepath.IsLocal(inner) {
		return nil, fmt.Errorf("%s is not read: it is outside of the document's folder", location)
	}
	if s.read == nil {
		return nil, errors.New(inner + " is not read: the document is all there is")
	}
	return s.read(inner)
}
