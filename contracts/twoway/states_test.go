package twoway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/twoway"
)

// visit is an interaction: a request for a pool, with a state that is about one.
type visit struct {
	pool, params string
	status       int
}

func TestStatesFitTheirRequests(t *testing.T) {
	usual := []visit{{"a", `{"pool": "a"}`, 200}, {"b", `{"pool": "b"}`, 200}, {"c", `{"pool": "c"}`, 200}}
	for name, test := range map[string]struct {
		last visit
		want string
	}{
		"as the others":         {visit{"d", `{"pool": "d"}`, 200}, ""},
		"about another pool":    {visit{"d", `{"pool": "e"}`, 200}, `is about pool "e", which is not in the request`},
		"without the parameter": {visit{"a", `{"x": 1}`, 404}, `lacks the parameter "pool"`},
		"with one more parameter": {
			visit{"d", `{"pool": "d", "x": 1}`, 200}, `has the parameter "x", and nowhere else`,
		},
		"a contradiction": {
			visit{"a", `{"pool": "a"}`, 404}, `the same request and states, and the status 200, not 404`,
		},
		"a pool of its own": {visit{"d", `{}`, 200}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := strings.Join(findingsOf(t, append(usual, test.last)), "; ")
			if test.want == "" && found != "" || !strings.Contains(found, test.want) {
				t.Errorf("found %q, not %q", found, test.want)
			}
		})
	}
}

func findingsOf(t *testing.T, visits []visit) []string {
	t.Helper()
	var interactions []string
	for i, v := range visits {
		interactions = append(interactions, fmt.Sprintf(`{"type": "Synchronous/HTTP", "description": "%d",
			"providerStates": [{"name": "the pool is there", "params": %s}],
			"request": {"method": "GET", "path": "/pools/%s"}, "response": {"status": %d}}`, i, v.params, v.pool, v.status))
	}
	pact, err := pactfile.Parse(
		[]byte(
			`{"consumer": {"name": "c"}, "provider": {"name": "p"}, "metadata": {"pactSpecification": {"version": "4.0"}},
		"interactions": [` + strings.Join(interactions, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	document, err := twoway.Load(t.Context(), "testdata/pools.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range twoway.Check(twoway.Input{Pact: pact, Document: document}).Findings {
		if f.Interaction != "" { // and not about a status that nothing exercises
			found = append(found, f.String())
		}
	}
	return found
}
