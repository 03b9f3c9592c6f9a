// Package overlay reads OpenAPI Overlays: documents that say how an orchestratord differs
// from an OpenAPI document, each difference with its reason.
//
//	o, err := overlay.Parse(data)
//	if err != nil {
//		return err
//	}
//	document, err := o.Apply(base)
package overlay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/speakeasy-api/openapi/overlay"
	"gopkg.in/yaml.v3"
)

// Overlay is an OpenAPI Overlay of version 1.0 or 1.1.
type Overlay struct{ spec *overlay.Overlay }

// Is reports whether a YAML document claims to be an overlay.
func Is(data []byte) bool {
	var head struct {
		Overlay string `yaml:"overlay"`
	}
	return yaml.Unmarshal(data, &head) == nil && head.Overlay != ""
}

// Resolve returns a document as it is, and what an overlay makes of the one that it extends. That
// is read by its path from the overlay's folder.
func Resolve(data []byte, read func(path string) ([]byte, error)) ([]byte, error) {
	if !Is(data) {
		return data, nil
	}
	o, err := Parse(data)
	if err != nil {
		return nil, err
	}
	document, err := read(o.Extends())
	if err != nil {
		return nil, fmt.Errorf("read the document that it extends: %w", err)
	}
	if Is(document) {
		return nil, fmt.Errorf("%s, which it extends, is an overlay itself", o.Extends())
	}
	return o.Apply(document)
}

// Parse reads an overlay. It fails on one that is not valid, that does not name the
// document that it extends, or that has an action without a description.
func Parse(data []byte) (*Overlay, error) {
	spec, err := overlay.ParseReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the overlay: %w", err)
	}
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("the overlay is not valid: %w", err)
	}
	if spec.Extends == "" {
		return nil, errors.New("the overlay does not say which document it extends")
	}
	// Overlays of all versions have the paths of RFC 9535; the library takes older ones in 1.0.
	spec.JSONPathVersion = cmp.Or(spec.JSONPathVersion, overlay.JSONPathRFC9535)
	for i, action := range spec.Actions {
		if strings.TrimSpace(action.Description) == "" {
			return nil, fmt.Errorf("action %d of the overlay, on %s, gives no reason in its description", i+1,
				action.Target)
		}
		if err := check(spec, action); err != nil {
			return nil, fmt.Errorf("action %d of the overlay, on %s, %w", i+1, action.Target, err)
		}
		if err := resolve(&spec.Actions[i].Update); err != nil {
			return nil, fmt.Errorf("action %d of the overlay, on %s: %w", i+1, action.Target, err)
		}
	}
	return &Overlay{spec}, nil
}

// check returns what is wrong with an action that the library takes, or refuses in words of its own.
func check(spec *overlay.Overlay, action overlay.Action) error {
	for name := range action.Extensions {
		if !strings.HasPrefix(name, "x-") {
			return fmt.Errorf("has a field %q that overlays do not know", name)
		}
	}
	switch {
	case !action.Remove && action.Update.IsZero() && action.Copy == "":
		return errors.New("neither updates, removes nor copies anything")
	case action.Copy != "" && !spec.IsV110OrLater():
		return errors.New("copies, which came with version 1.1.0 of overlays")
	}
	return nil
}

// resolve replaces the aliases of a value, whose anchors are elsewhere in the overlay.
func resolve(node *yaml.Node) error {
	if node.IsZero() {
		return nil
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return err
	}
	return node.Encode(value)
}

// Title returns what the overlay is called.
func (o *Overlay) Title() string { return o.spec.Info.Title }

// Extends returns the document that the overlay is for, by its path from the overlay's
// folder.
func (o *Overlay) Extends() string { return o.spec.Extends }

// Apply returns the document with all actions done, in their order. It fails when an
// action has nothing to act on or changes nothing: the document has moved on.
func (o *Overlay) Apply(document []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Extends(), err)
	}
	warnings, err := o.spec.ApplyToStrict(&root)
	if err != nil {
		return nil, fmt.Errorf("apply the overlay to %s: %w", o.Extends(), err)
	}
	if len(warnings) > 0 {
		return nil, fmt.Errorf("apply the overlay to %s: %s", o.Extends(), strings.Join(warnings, "; "))
	}
	return yaml.Marshal(&root)
}
