package exchange

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestKindsAreTheDocuments compares what problems say with the document's examples.
func TestKindsAreTheDocuments(t *testing.T) {
	for name, example := range examples(t) {
		code := nodeapi.ProblemCode(example["code"].(string))
		kind := kindOf(code)
		if float64(kind.status) != example["status"] || kind.title != example["title"] {
			t.Errorf("%s: %+v, the document has %v %q", name, kind, example["status"], example["title"])
		}
	}
}

// examples returns the document's examples of problems, by the names of their responses.
func examples(t *testing.T) map[string]map[string]any {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]map[string]any{}
	for name, response := range doc.Components.Responses {
		examples[name] = response.Value.Content["application/problem+json"].Example.(map[string]any)
	}
	if len(examples) == 0 {
		t.Fatal("the document has no examples")
	}
	return examples
}

// TestCodeOf looks at the code of every status that a fault may have: that of the document's example, and
// internal_error where it has none. The cloud profile is not the reason of a fault.
func TestCodeOf(t *testing.T) {
	codes := map[int]nodeapi.ProblemCode{}
	for _, example := range examples(t) {
		codes[int(example["status"].(float64))] = nodeapi.ProblemCode(example["code"].(string))
	}
	codes[http.StatusServiceUnavailable] = nodeapi.ProblemCodeUnavailable
	for status := 400; status < 600; status++ {
		want := cmp.Or(codes[status], nodeapi.ProblemCodeInternalError)
		if got := CodeOf(status); got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
}

func TestLongDetail(t *testing.T) {
	w := httptest.NewRecorder()
	x := newPool(t).Begin(w, httptest.NewRequest(http.MethodGet, "/", nil))
	x.answerError(w, NewProblem(nodeapi.ProblemCodeNotFound, "%s", strings.Repeat("é", 2000)))
	var p nodeapi.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if length := utf8.RuneCountInString(p.Detail); length != 1024 || !strings.HasSuffix(p.Detail, "é…") {
		t.Errorf("a detail of %d characters: %s", length, p.Detail)
	}
}
