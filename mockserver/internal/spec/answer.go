package spec

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// answer is what the document states of an answer.
type answer struct {
	raw    *openapi3.Response
	bodies map[string]*Schema // by content type
}

func answerOf(response *openapi3.Response) *answer {
	a := &answer{raw: response, bodies: map[string]*Schema{}}
	for contentType, body := range response.Content {
		a.bodies[contentType] = schemaOf(body.Schema.Value, "")
	}
	return a
}

// answersOf returns the answers of an operation by their codes: statuses, ranges such as 4XX, and default.
func answersOf(responses *openapi3.Responses) map[string]*answer {
	answers := map[string]*answer{}
	for code, response := range responses.Map() {
		answers[code] = answerOf(response.Value)
	}
	return answers
}

// answer returns what is stated of answers with a status, by the code that fits it best; nil if none does.
func (o *Operation) answer(status int) *answer {
	answers, code := o.answers(), strconv.Itoa(status)
	return cmp.Or(answers[code], answers[code[:1]+"XX"], answers["default"])
}

func (o *Operation) codes() []string { return slices.Sorted(maps.Keys(o.answers())) }

// CheckAnswer returns how an answer of the mock breaks the document, if it does.
func (d *Document) CheckAnswer(o *Operation, status int, header http.Header, body []byte) error {
	if body == nil {
		body = []byte{} // nil would be a body that is not there whole
	}
	found := d.AnswerDepartures(o, status, header, body, asItIs)
	if found == nil {
		return nil
	}
	first := found[0]
	first.Status = status
	if o != nil {
		first.Operation = o.ID
	}
	return fmt.Errorf("answer: %s", first)
}

// CheckAnswerHead returns how an answer without its body, such as a stream that has not begun,
// breaks what the document states of an operation.
func (o *Operation) CheckAnswerHead(status int, header http.Header) error {
	mediaType := mediaTypeOf(header)
	if answer := o.answer(status); answer == nil || answer.bodies[mediaType] == nil {
		return fmt.Errorf("answer: status %d with content type %q is not declared for %s", status, mediaType, o.ID)
	}
	return nil
}

func mediaTypeOf(header http.Header) string {
	mediaType, _, _ := mime.ParseMediaType(header.Get(contentType))
	return mediaType
}

const contentType = "Content-Type"
