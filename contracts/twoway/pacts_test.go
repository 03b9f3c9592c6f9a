package twoway_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/twoway"
)

type (
	object = map[string]any
	list   = []any
)

// agreement is an entry of testdata/pacts.yaml.
type agreement struct {
	Name     string
	From     string
	Document documentSketch
	Pact     pactSketch
	Whole    object // the pact, instead of a sketch of it
	Finding  string
	Once     bool // and nothing else is found
}

// documentSketch is what is special about a document.
type documentSketch struct {
	Answer     object
	Body       object
	Parameters list
	Servers    list
	Op         object
	Doc        object
}

func (s documentSketch) text(t *testing.T) []byte {
	t.Helper()
	answer := object{"description": "ok"}
	if s.Answer != nil {
		answer["content"] = object{"application/json": object{"schema": s.Answer}}
	}
	operation := object{"operationId": "o", "responses": object{"200": answer}}
	if s.Body != nil {
		operation["requestBody"] = object{"content": object{"application/json": object{"schema": s.Body}}}
	}
	if s.Parameters != nil {
		operation["parameters"] = s.Parameters
	}
	merge(operation, s.Op)
	document := object{
		"openapi": "3.0.3", "info": object{"title": "t", "version": "1"},
		"paths": object{"/a": object{"post": operation}},
		"components": object{"securitySchemes": object{
			"key":   object{"type": "apiKey", "in": "header", "name": "X-Key"},
			"token": object{"type": "http", "scheme": "bearer"},
		}},
	}
	if s.Servers != nil {
		document["servers"] = s.Servers
	}
	merge(document, s.Doc)
	return marshal(t, document)
}

// pactSketch is what is special about a pact.
type pactSketch struct {
	Content         any
	Encoded         any
	Ask             any
	Query           object
	Rules, AskRules object
	Request         object
	Response        object
	Interaction     object
}

func (s pactSketch) text(t *testing.T) []byte {
	t.Helper()
	request := object{"method": "POST", "path": "/a"}
	response := object{"status": 200}
	for _, message := range []struct {
		of             object
		content, rules any
		encoded        any
	}{{request, s.Ask, s.AskRules, false}, {response, s.Content, s.Rules, s.Encoded}} {
		if message.content != nil {
			message.of["headers"] = object{"Content-Type": list{"application/json"}}
			body := object{"content": message.content, "contentType": "application/json", "encoded": message.encoded}
			message.of["body"] = body
		}
		message.of["matchingRules"] = ruleSets(message.rules)
	}
	if s.Query != nil {
		request["query"] = s.Query
	}
	merge(request, s.Request)
	merge(response, s.Response)
	interaction := object{"type": "Synchronous/HTTP", "description": "d", "request": request, "response": response}
	merge(interaction, s.Interaction)
	return marshal(t, object{
		"consumer": object{"name": "c"}, "provider": object{"name": "p"},
		"metadata":     object{"pactSpecification": object{"version": "4.0"}},
		"interactions": list{interaction},
	})
}

// ruleSets writes each list of matchers as a pact file does.
func ruleSets(rules any) any {
	switch rules := rules.(type) {
	case list:
		return object{"combine": "AND", "matchers": rules}
	case object:
		written := object{}
		for name, inner := range rules {
			written[name] = ruleSets(inner)
		}
		return written
	}
	return nil
}

func merge(into, from object) {
	for name, value := range from {
		inner, isObject := value.(object)
		if have, both := into[name].(object); both && isObject {
			merge(have, inner)
		} else {
			into[name] = value
		}
	}
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPactsOfOthers(t *testing.T) {
	text, err := os.ReadFile("testdata/pacts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []agreement
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, test := range all {
		t.Run(test.Name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("document.json", test.Document.text(t), 0o600); err != nil {
				t.Fatal(err)
			}
			document, err := twoway.Load(t.Context(), "document.json")
			if err != nil {
				t.Fatal(err)
			}
			text := test.Pact.text(t)
			if test.Whole != nil {
				text = marshal(t, test.Whole)
			}
			pact, err := pactfile.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			var findings []string
			for _, finding := range twoway.Check(twoway.Input{Document: document, Pact: pact}).Findings {
				// a status that nothing exercises
				if finding.File == "" || !strings.HasPrefix(finding.Pointer, "/paths") {
					findings = append(findings, finding.String())
				}
			}
			have := strings.Join(findings, "\n")
			if !strings.Contains(have, test.Finding) || (test.Finding == "") != (have == "") {
				t.Errorf("findings:\n%s\nwant:\n%s", have, test.Finding)
			}
			if test.Once && len(findings) != 1 {
				t.Errorf("%d findings, not one:\n%s", len(findings), have)
			}
		})
	}
}

// TestFindingsKeepTheirOrder checks one pact again and again.
func TestFindingsKeepTheirOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	number := object{"type": "integer", "minimum": 3, "maximum": 7}
	sketch := documentSketch{Body: object{"type": "object", "properties": object{"n": number}}}
	if err := os.WriteFile("document.json", sketch.text(t), 0o600); err != nil {
		t.Fatal(err)
	}
	rule := list{object{"match": "number"}, object{"match": "regex", "regex": `\d+(\.\d+)?`}}
	pact, err := pactfile.Parse(pactSketch{
		Ask: object{"n": 5}, AskRules: object{"body": object{"$.n": rule}},
	}.text(t))
	if err != nil {
		t.Fatal(err)
	}
	var first []twoway.Finding
	for range 30 {
		document, err := twoway.Load(t.Context(), "document.json")
		if err != nil {
			t.Fatal(err)
		}
		findings := twoway.Check(twoway.Input{Document: document, Pact: pact}).Findings
		if first == nil {
			first = findings
		}
		if len(findings) < 3 || !slices.Equal(findings, first) {
			t.Fatalf("findings:\n%v\nand before:\n%v", findings, first)
		}
	}
}
