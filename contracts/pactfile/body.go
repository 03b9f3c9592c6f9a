package pactfile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Body is the example of a body.
type Body struct {
	// ContentType is the media type that the pact states for the body. A Content-Type
	// header of the message takes precedence, since this may be a more general type.
	ContentType string
	// Content is a JSON value as encoding/json decodes it, or a string where the
	// body is not JSON.
	Content any
	// Decoded means that the file holds the body as base64, so that Content is its text.
	Decoded bool
}

// Empty reports whether there is no body, or none that is asked for.
func (b *Body) Empty() bool {
	return b == nil || b.Content == nil || b.Content == ""
}

// Bytes returns the example as it goes over the wire.
func (b *Body) Bytes() ([]byte, error) {
	if b.Empty() {
		return nil, nil
	}
	if text, ok := b.Content.(string); ok {
		return []byte(text), nil
	}
	return json.Marshal(b.Content)
}

// UnmarshalJSON undoes the encoding that the pact file may have given a body.
func (b *Body) UnmarshalJSON(data []byte) error {
	var wire struct {
		Content     any
		ContentType string
		Encoded     any
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	b.ContentType, b.Content = wire.ContentType, wire.Content
	text, _ := wire.Content.(string)
	if name, isText := wire.Encoded.(string); isText {
		wire.Encoded = strings.ToLower(name) // the specification has "JSON", libraries write "json"
	}
	switch wire.Encoded {
	case nil, false:
		return nil
	case "json":
		return json.Unmarshal([]byte(text), &b.Content)
	case "base64", true:
		decoded, err := base64.StdEncoding.DecodeString(text)
		b.Content, b.Decoded = string(decoded), true
		return err
	default:
		return fmt.Errorf("unknown encoding of a body: %v", wire.Encoded)
	}
}

// AsJSON returns the example as a JSON value. Only a body that the file holds as base64
// is read as JSON text: any other is a value already, which may be a string.
func (b *Body) AsJSON() any {
	text, isText := b.Content.(string)
	if !isText || !b.Decoded {
		return b.Content
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return b.Content
	}
	return value
}
