package spec

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckAnswer returns how an answer breaks the document. The operation is nil for a request that
// fits none: its answer is a problem, if the document has problems.
func (d *Document) CheckAnswer(o *Operation, status int, header http.Header, body []byte) error {
	response := d.problem
	if o == nil && response == nil {
		return nil
	}
	if o != nil {
		ref := o.responses.Status(status)
		if ref == nil {
			return fmt.Errorf("answer: status %d is not declared for %s", status, o.ID)
		}
		response = ref.Value
	}
	if err := d.checkHeader(response.Headers, header); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if len(response.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("answer: status %d has no body", status)
		}
		return nil
	}
	if err := d.checkAnswerBody(response.Content, header, body); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func (d *Document) checkHeader(headers openapi3.Headers, header http.Header) error {
	for name, ref := range headers {
		text, schema := header.Get(name), ref.Value.Schema.Value
		if text == "" {
			if ref.Value.Required {
				return fmt.Errorf("header %s is missing", name)
			}
			continue
		}
		if err := d.check(schema, headerValue(schema, text)); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

// headerValue returns the value that the text of a header stands for.
func headerValue(schema *openapi3.Schema, text string) any {
	if schema.Type.Is(openapi3.TypeInteger) {
		return json.Number(text)
	}
	return text
}

func (d *Document) checkAnswerBody(content openapi3.Content, header http.Header, body []byte) error {
	mediaType := content[mediaTypeOf(header)]
	if mediaType == nil {
		return fmt.Errorf("content type %q is not declared", header.Get(contentType))
	}
	var value any = string(body)
	if strings.HasSuffix(mediaTypeOf(header), "json") {
		var err error
		if value, err = Decode(body); err != nil {
			return err
		}
	}
	return d.check(mediaType.Schema.Value, value, openapi3.VisitAsResponse())
}

// CheckAnswerHead returns how an answer without its body, such as a stream that has not begun,
// breaks what the document states of an operation.
func (o *Operation) CheckAnswerHead(status int, header http.Header) error {
	ref := o.responses.Status(status)
	if mediaType := mediaTypeOf(header); ref == nil || ref.Value.Content[mediaType] == nil {
		return fmt.Errorf("answer: status %d with content type %q is not declared for %s", status, mediaType, o.ID)
	}
	return nil
}

func mediaTypeOf(header http.Header) string {
	mediaType, _, _ := mime.ParseMediaType(header.Get(contentType))
	return mediaType
}

const contentType = "Content-Type"
