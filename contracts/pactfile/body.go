package pactfile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Body is the example of a body.
type Body struct {
	// ContentType is what the pact takes the body for. Where the message has a
	// Content-Type header that is its media type, and this may be a wider one.
	ContentType string
	// Content is a JSON value as encoding/json decodes it, or a string where the
	// body is not JSON.
	Content any
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
	switch wire.Encoded {
	case nil, false:
		return nil
	case "json":
		return json.Unmarshal([]byte(text), &b.Content)
	case "base64":
		decoded, err := base64.StdEncoding.DecodeString(text)
		b.Content = string(decoded)
		return err
	default:
		return fmt.Errorf("unknown encoding of a body: %v", wire.Encoded)
	}
}
