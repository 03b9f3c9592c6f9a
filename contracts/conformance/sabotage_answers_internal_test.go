package conformance

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// ofBodies break each rule of each field of each success.
func ofBodies(op *operation) []sabotage {
	var all []sabotage
	for _, content := range op.responses[op.success()].Content {
		for _, v := range brokenAnswers(content.Schema.Value) {
			all = append(all, sabotage{
				name: fmt.Sprintf("%s %d %s: %s", op.id, op.success(), v.at, v.rule), level: Nodes, culprit: v.field(),
				answer: func(x *exchange) {
					if x.succeeded(op.id) {
						x.body = put(x.body, v.at, v.value)
					}
				},
			})
		}
	}
	return all
}

// ofProblems break each rule of each field of problem details.
func ofProblems(doc *document) []sabotage {
	var all []sabotage
	for field, value := range map[string]string{
		"code": "throttled", "type": "urn:llama-orch:problem:throttled", "instance": "urn:llama-orch:correlation:other",
	} {
		all = append(all, sabotage{
			name: "problem details with the " + field + " of another refusal", level: Document, culprit: field,
			answer: func(x *exchange) {
				if x.status/100 == 4 {
					x.body = put(x.body, pointer{field}, value)
				}
			},
		})
	}
	for _, content := range doc.operation(opRegister).responses[http.StatusUnprocessableEntity].Content {
		for _, v := range brokenAnswers(content.Schema.Value) {
			all = append(all, sabotage{
				name: fmt.Sprintf("problem details %s: %s", v.at, v.rule), level: Document, culprit: v.field(),
				answer: func(x *exchange) {
					if x.status/100 == 4 {
						x.body = put(x.body, v.at, v.value)
					}
				},
			})
		}
	}
	return all
}

// brokenAnswer is a value that breaks a rule in a place.
type brokenAnswer struct {
	at    pointer
	rule  string
	value any
}

// field is the name of the field that is broken.
func (b brokenAnswer) field() string {
	for _, step := range slices.Backward(b.at) {
		if name, ok := step.(string); ok {
			return name
		}
	}
	return ""
}

func brokenAnswers(schema *openapi3.Schema) []brokenAnswer {
	var all []brokenAnswer
	seen := map[string]bool{}
	plain, _ := whole(schema)
	add := func(at pointer, rule string, value any) {
		if key := at.String() + rule; len(at) > 0 && !seen[key] {
			seen[key] = true
			all = append(all, brokenAnswer{at, rule, value})
		}
	}
	for _, v := range variants(schema, plain, true) {
		if !strings.HasPrefix(v.rule, "maxItems") {
			add(v.at, v.rule, get(v.body, v.at))
			if v.rule == "left out" {
				all[len(all)-1].value = absent{}
			}
		}
	}
	return all
}

// ofStatuses exchange the status of a success, and of an unknown node.
func ofStatuses(op *operation) []sabotage {
	var all []sabotage
	exchange := func(from, to int) {
		all = append(all, sabotage{
			name: fmt.Sprintf("%s answers %d instead of %d", op.id, to, from), level: Nodes, culprit: strconv.Itoa(to),
			answer: func(x *exchange) {
				if x.op == op && x.status == from {
					x.status = to
				}
			},
		})
	}
	for _, to := range []int{200, 201, 202, 204, 301, 400, 403, 404, 409, 418, 422, 429, 500, 502, 503} {
		if to != op.success() {
			exchange(op.success(), to)
		}
		if op.responses[http.StatusNotFound] != nil && to != http.StatusNotFound {
			exchange(http.StatusNotFound, to)
		}
		if to != http.StatusUnauthorized {
			exchange(http.StatusUnauthorized, to)
		}
	}
	for _, from := range []int{400, 422} {
		if op.request != nil {
			exchange(from, 500)
			exchange(from, 502)
		}
	}
	return all
}

// ofCorrelations have an id that names more than one call, or no call.
func ofCorrelations(op *operation) []sabotage {
	return []sabotage{
		onAnswer(op, "makes up the same correlation id again", Document, func(x *exchange) {
			if x.r.Header[correlationHeader] == nil {
				x.header.Set(correlationHeader, "again")
			}
		}),
		onAnswer(op, "echoes a correlation id that does not fit", Document, func(x *exchange) {
			if sent := x.r.Header.Get(correlationHeader); strings.ContainsAny(sent, " ;") && x.succeeded(op.id) {
				x.header.Set(correlationHeader, sent)
			}
		}),
	}
}

// ofHeaders break the headers of answers.
func ofHeaders(op *operation) []sabotage {
	all := ofCorrelations(op)
	change := func(name string, level Level, status func(int) bool, header string, values ...string) {
		all = append(all, sabotage{
			name: op.id + " " + name, level: level, culprit: header,
			answer: func(x *exchange) {
				if (x.op == op || x.op == nil) && status(x.status) {
					x.header = maps.Clone(x.header)
					delete(x.header, header)
					if len(values) > 0 {
						x.header[header] = values
					}
				}
			},
		})
	}
	good := func(status int) bool { return status/100 == 2 }
	bad := func(status int) bool { return status/100 == 4 }
	if op.success() == http.StatusOK {
		for _, media := range []string{"text/plain", "text/html; charset=utf-8", "application/problem+json"} {
			change("success as "+media, Nodes, good, "Content-Type", media)
		}
		change("success without a media type", Nodes, good, "Content-Type")
	}
	change("error as JSON", Document, bad, "Content-Type", "application/json")
	change("error without a media type", Document, bad, "Content-Type")
	change("without a correlation id", Document, good, correlationHeader)
	change("with the correlation id of another call", Document, good, correlationHeader, "another")
	change("with a correlation id that does not fit", Nodes, good, correlationHeader, "not fit")
	change("with two correlation ids", Nodes, good, correlationHeader, "one", "two")
	for status, response := range op.responses {
		for name, header := range response.Headers {
			if header.Value.Required && (status == http.StatusUnauthorized || status == http.StatusMethodNotAllowed) {
				only := func(got int) bool { return got == status }
				change(fmt.Sprintf("%d without %s", status, name), Document, only, http.CanonicalHeaderKey(name))
				change(fmt.Sprintf("%d with an odd %s", status, name), Document, only, http.CanonicalHeaderKey(name),
					"odd")
			}
		}
	}
	return all
}

var number = regexp.MustCompile(`(":[0-9]+)([,}])`)

// ofTexts break the text of successes.
func ofTexts(op *operation) []sabotage {
	if op.success() != http.StatusOK {
		return nil
	}
	var all []sabotage
	for name, raw := range map[string]func([]byte) []byte{
		"empty body":              func([]byte) []byte { return nil },
		"body that is cut off":    func(b []byte) []byte { return b[:len(b)/2] },
		"body with more after it": func(b []byte) []byte { return append(b, "{}"...) },
		"body that is null":       func([]byte) []byte { return []byte("null") },
		"body in a list":          func(b []byte) []byte { return []byte("[" + string(b) + "]") },
		"body with a mark before": func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) },
		"body with a byte too odd": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`":`), []byte("\xff\":"),
				1)
		},
		"body with a field twice": func(b []byte) []byte {
			return append([]byte(`{"success":false,"count":0,`), bytes.TrimPrefix(b, []byte("{"))...)
		},
		"numbers as decimals": func(b []byte) []byte {
			return number.ReplaceAll(b, []byte("$1.0$2"))
		},
		"the token in it": func(b []byte) []byte {
			return append([]byte(`{"token":"`+strengthToken+`",`), bytes.TrimPrefix(b, []byte("{"))...)
		},
		"a page of HTML": func([]byte) []byte { return []byte("<html>") },
	} {
		if strings.HasPrefix(name, "numbers") && op.id == opRegister {
			continue // there are none
		}
		all = append(all, sabotage{name: op.id + " " + name, level: Nodes, culprit: op.id, answer: func(x *exchange) {
			if x.succeeded(op.id) {
				x.text, x.body = raw(bytes.TrimSpace(x.text)), nil
			}
		}})
	}
	return all
}
