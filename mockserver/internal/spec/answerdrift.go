package spec

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/mockserver/drift"
)

// AnswerDepartures lists how an answer departs from the document. The operation is nil for a request that
// fits none: its answer is a problem, if the document has problems. A body that is not there whole is
// nil: only its content type is looked at. Names that an orchestratord made up are repeated as quote lets
// them be.
func (d *Document) AnswerDepartures(
	o *Operation, status int, header http.Header, body []byte, quote func(string) string,
) []drift.Departure {
	answer := d.problem
	if o != nil {
		if answer = o.answer(status); answer == nil {
			return []drift.Departure{{
				Kind: drift.Status, Expected: "must be " + orList(o.codes()), Got: strconv.Itoa(status),
			}}
		}
	}
	if answer == nil {
		return nil
	}
	found := d.headerDepartures(answer.raw.Headers, header, quote)
	return append(found, d.answerBodyDepartures(answer, header, body, quote)...)
}

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
			broken := d.check(declared.Schema.Value, scalar(declared.Schema.Value, values[0]))
			if broken == nil {
				continue
			}
			departure.Expected, departure.Got = wanted(broken), InQuotes(quote(values[0]))
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
	schema := bodyOf(answer.bodies, mediaTypeOf(header))
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
