package spec

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/drift"
)

// AnswerDepartures lists how an answer of an orchestratord departs from the document. A body that
// is not there whole is nil: only its content type is looked at. Names that the orchestratord made
// up are repeated as quote lets them be.
func (d *Document) AnswerDepartures(
	o *Operation, status int, header http.Header, body []byte, quote func(string) string,
) []drift.Departure {
	answer := o.answer(status)
	if answer == nil {
		return []drift.Departure{{
			Kind: drift.Status, Expected: "must be " + orList(o.codes()), Got: strconv.Itoa(status),
		}}
	}
	found := d.headerDepartures(answer.raw.Headers, header, quote)
	return append(found, d.answerBodyDepartures(answer, header, body, quote)...)
}

// answer is what the document states of an answer.
type answer struct {
	raw    *openapi3.Response
	bodies map[string]*Schema // by content type
}

// answersOf returns the answers of an operation by their codes: statuses, ranges such as 4XX, and default.
func answersOf(responses *openapi3.Responses) map[string]*answer {
	answers := map[string]*answer{}
	for code, response := range responses.Map() {
		a := &answer{raw: response.Value, bodies: map[string]*Schema{}}
		for contentType, body := range response.Value.Content {
			a.bodies[contentType] = schemaOf(body.Schema.Value, "")
		}
		answers[code] = a
	}
	return answers
}

// answer returns what is stated of answers with a status, by the code that fits it best; nil if none does.
func (o *Operation) answer(status int) *answer {
	answers, code := o.answers(), strconv.Itoa(status)
	return cmp.Or(answers[code], answers[code[:1]+"XX"], answers["default"])
}

func (o *Operation) codes() []string { return slices.Sorted(maps.Keys(o.answers())) }

func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (d *Document) headerDepartures(
	headers openapi3.Headers, header http.Header, quote func(string) string,
) []drift.Departure {
	var found []drift.Departure
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		declared := headers[name].Value
		departure := drift.Departure{Kind: drift.Header, Pointer: name}
		values := header.Values(name)
		switch {
		case len(values) == 0 && declared.Required:
			departure.Expected, departure.Got = "must be there", "nothing"
		case len(values) == 0:
			continue
		case len(values) > 1:
			departure.Expected, departure.Got = "must be there once", fmt.Sprintf("%d times", len(values))
		default:
			broken := d.check(declared.Schema.Value, headerValue(declared.Schema.Value, values[0]))
			if broken == nil {
				continue
			}
			departure.Expected, departure.Got = d.first(broken), InQuotes(quote(values[0]))
		}
		found = append(found, departure)
	}
	return found
}

func (d *Document) answerBodyDepartures(
	answer *answer, header http.Header, body []byte, quote func(string) string,
) []drift.Departure {
	if len(answer.bodies) == 0 {
		if len(body) == 0 {
			return nil
		}
		return []drift.Departure{{Kind: drift.Undue, Expected: "must have no body", Got: "one"}}
	}
	schema := answer.bodies[mediaTypeOf(header)]
	if schema == nil {
		got := "nothing"
		if given := header.Get(contentType); given != "" {
			got = InQuotes(quote(given))
		}
		expected := "must be " + orList(slices.Sorted(maps.Keys(answer.bodies)))
		return []drift.Departure{{Kind: drift.Header, Pointer: contentType, Expected: expected, Got: got}}
	}
	if body == nil {
		return nil
	}
	var value any = string(body)
	var twice []string
	if strings.HasSuffix(mediaTypeOf(header), "json") {
		var err error
		if value, twice, err = DecodeBody(body, schema); err != nil {
			return []drift.Departure{Malformed(body, err)}
		}
	}
	broken := d.checkBody(schema, value, len(body), openapi3.VisitAsResponse())
	return append(Twice(twice), d.Departures(schema, value, broken, quote)...)
}
