package breaking_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/llama-orch/node-registration/contracts/breaking"
)

// object is a part of a document.
type object = map[string]any

// pair is an entry of testdata/pairs.yaml.
type pair struct {
	Name    string
	From    string
	Breaks  []breaking.Party
	Base    sketch
	Revised sketch
}

// sketch is what is special about a document.
type sketch struct {
	Path        string
	Method      string
	Body        object
	Media       string
	Answer      object
	AnswerMedia string `yaml:"answermedia"`
	Op          object
	Item        object
	Doc         object
}

// document returns the whole of it.
func (s sketch) document(t *testing.T, name string) breaking.Source {
	t.Helper()
	answer := object{"description": "ok"}
	if s.Answer != nil {
		answer["content"] = object{or(s.AnswerMedia, "application/json"): object{"schema": s.Answer}}
	}
	operation := object{"operationId": "o", "responses": object{"200": answer}}
	if s.Body != nil {
		content := object{or(s.Media, "application/json"): object{"schema": s.Body}}
		operation["requestBody"] = object{"required": true, "content": content}
	}
	if s.Op["responses"] != nil {
		delete(operation, "responses")
	}
	merge(operation, s.Op)
	if !names(s.Op, "id", "node") && !names(s.Item, "id", "node") {
		id := object{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"}}
		others, _ := operation["parameters"].([]any)
		operation["parameters"] = append([]any{id}, others...)
	}
	item := object{or(s.Method, "post"): operation}
	merge(item, s.Item)
	document := object{
		"openapi": "3.0.3", "info": object{"title": "t", "version": "1"},
		"paths": object{or(s.Path, "/n/{id}"): item},
	}
	merge(document, s.Doc)
	text, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return breaking.Source{Name: name, Data: text}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
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

// names reports whether one of the parameters of an operation or a path item has one of
// some names.
func names(of object, some ...string) bool {
	parameters, _ := of["parameters"].([]any)
	return slices.ContainsFunc(parameters, func(parameter any) bool {
		name, _ := parameter.(object)["name"].(string)
		return slices.Contains(some, name)
	})
}

func pairs(t *testing.T) []pair {
	t.Helper()
	text, err := os.ReadFile("testdata/pairs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []pair
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPairs(t *testing.T) {
	for _, pair := range pairs(t) {
		t.Run(pair.Name, func(t *testing.T) {
			base, revised := pair.Base.document(t, "base.json"), pair.Revised.document(t, "revised.json")
			report, err := breaking.Compare(t.Context(), base, revised)
			if err != nil {
				t.Fatal(err)
			}
			for _, party := range []breaking.Party{breaking.OldNodes, breaking.NewNodes, breaking.Users} {
				if have, want := report.Breaks(party), slices.Contains(pair.Breaks, party); have != want {
					t.Errorf("breaks %s: %t, not %t; changes: %+v", party, have, want, report.Changes)
				}
			}
			for _, change := range report.Changes {
				if (len(change.Breaks) > 0) != (change.Why != "") {
					t.Errorf("a change that breaks somebody is explained, others need not be: %+v", change)
				}
			}
			same, err := breaking.Compare(t.Context(), revised, revised)
			if err != nil || len(same.Changes) > 0 {
				t.Errorf("the document differs from itself: %v, %+v", err, same)
			}
		})
	}
}
