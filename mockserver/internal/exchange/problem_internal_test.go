package exchange

import (
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
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for name, response := range doc.Components.Responses {
		example := response.Value.Content["application/problem+json"].Example.(map[string]any)
		code := nodeapi.ProblemCode(example["code"].(string))
		kind := kindOf(code)
		if float64(kind.status) != example["status"] || kind.title != example["title"] {
			t.Errorf("%s: %+v, the document has %v %q", name, kind, example["status"], example["title"])
		}
		compared++
	}
	if compared == 0 {
		t.Error("the document has no examples")
	}
}

// TestCodeOf looks at the code of every status that a fault may have.
func TestCodeOf(t *testing.T) {
	for status := 400; status < 600; status++ {
		if code := CodeOf(status); kindOf(code).status != status && code != nodeapi.ProblemCodeInternalError {
			t.Errorf("%d is %s", status, code)
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
