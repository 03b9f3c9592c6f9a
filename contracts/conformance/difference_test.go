package conformance_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/openapi"
)

// beyondSchemas are the findings for which the overlay of the orchestratord in service changes no rule for a
// field of a request and no answer: an extension, a status, examples, and the ids that it repeats.
var beyondSchemas = []string{
	"deregisterNode: 204 header X-Correlation-Id",
	"heartbeatNode: 200 header X-Correlation-Id",
	"heartbeatNode: status with a body in gzip",
	"heartbeatNode: status with a charset other than UTF-8",
	"heartbeatNode: status with the media type application/json-patch+json",
	"heartbeatNode: status with the scheme bearer in small letters",
	"listNodes: 200 header X-Correlation-Id",
	"listNodes: status of a node whose pools all drain",
	"listNodes: status with the scheme bearer in small letters",
	discarded,
	"registerNode: 200 body/node_id",
	"registerNode: 200 header X-Correlation-Id",
	"registerNode: status of an example",
	"registerNode: status with a body in gzip",
	"registerNode: status with a charset other than UTF-8",
	"registerNode: status with the media type application/json-patch+json",
}

// discarded is the finding for which the overlay has an extension.
const discarded = "listNodes: version of a node"

// TestLevelDocumentFindsTheOverlay_heavy holds the mock in the dialect in service to the document. What is
// found is what the overlay changes in the document, no more and no less.
func TestLevelDocumentFindsTheOverlay_heavy(t *testing.T) {
	race.Skip(t)
	var byDocument, byOverlay *conformance.Report
	synctest.Test(t, func(t *testing.T) {
		byDocument, byOverlay = held(t, nil), held(t, openapi.InService)
	})
	requests, answers := map[string]bool{}, map[string]bool{}
	var others []string
	for _, f := range byDocument.Findings {
		place, rule := f.Operation+": "+f.Place, ""
		if _, field, found := strings.Cut(f.Place, "status with "); found && !slices.Contains(beyondSchemas, place) {
			place, rule, _ = strings.Cut(f.Operation+" "+field, ": ")
			requests[place+" "+rule] = true
		} else if status := answered.FindString(f.Place); status != "" && !slices.Contains(beyondSchemas, place) {
			answers[f.Operation+" "+status] = true
		} else if !slices.Contains(others, place) {
			others = append(others, place)
		}
	}
	if diff := cmp.Diff(sorted(differingRules(byDocument, byOverlay)), sorted(requests)); diff != "" {
		t.Errorf("rules for requests, -overlay +found:\n%s", diff)
	}
	if diff := cmp.Diff(sorted(differingAnswers(t)), sorted(answers)); diff != "" {
		t.Errorf("answers, -overlay +found:\n%s", diff)
	}
	if slices.Sort(others); !slices.Equal(others, beyondSchemas) {
		t.Errorf("found besides: %q, want %q", others, beyondSchemas)
	}
	for _, f := range byOverlay.Findings {
		t.Errorf("found although the overlay is applied: %s", f)
	}
}

var answered = regexp.MustCompile(`^\d+`)

// held holds the mock in the dialect in service to a document.
func held(t *testing.T, document []byte) *conformance.Report {
	t.Helper()
	mock := newMock(t, mockserver.WithDialect(mockserver.InService), mockserver.WithTokens(token))
	report, err := conformance.Run(t.Context(), conformance.Options{
		URL: memnet.URL, Dial: memnet.Serve(t, mock), Token: token, Level: conformance.Document, Document: document,
		Only: []string{"examples", "lives", "tokens", "coverage", "negative", "transport"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		if c.Unfinished != "" {
			t.Fatalf("%s: %s", c.Name, c.Unfinished)
		}
	}
	return report
}

// differingRules are the rules for fields of requests that one document has and another has not, and
// those of the other that the first lets be broken.
func differingRules(one, other *conformance.Report) map[string]bool {
	kept, broken := rules(one)
	_, brokenToo := rules(other)
	differ := map[string]bool{}
	for rule := range broken {
		if !brokenToo[rule] {
			differ[rule] = true
		}
	}
	for rule := range brokenToo {
		if kept[rule] && !broken[rule] {
			differ[rule] = true
		}
	}
	return differ
}

// rules returns the rules for fields of requests that were tried, by being kept and by being broken.
func rules(report *conformance.Report) (kept, broken map[string]bool) {
	kept, broken = map[string]bool{}, map[string]bool{}
	for _, c := range report.Coverage {
		if c.Field == "" {
			continue
		}
		rule := c.Operation + " " + c.Field + " " + c.Rule
		if c.Broken {
			broken[rule] = true
		} else {
			kept[rule] = true
		}
	}
	return kept, broken
}

// differingAnswers are the answers that the overlay changes, and that a run can cause.
func differingAnswers(t *testing.T) map[string]bool {
	t.Helper()
	differ := map[string]bool{}
	inService := responses(t, openapi.InService)
	for answer, response := range responses(t, openapi.Nodes) {
		caused := slices.Contains([]string{"200", "204", "400", "401", "404", "405", "413", "415", "422"},
			answer[len(answer)-3:])
		if caused && inService[answer] != response {
			differ[answer] = true
		}
	}
	return differ
}

// responses returns the responses of a document as text, by operation and status.
func responses(t *testing.T, document []byte) map[string]string {
	t.Helper()
	api, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, path := range api.Paths.Map() {
		for _, operation := range path.Operations() {
			for status, response := range operation.Responses.Map() {
				text, err := json.Marshal(response.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts[operation.OperationID+" "+status] = string(text)
			}
		}
	}
	return texts
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
