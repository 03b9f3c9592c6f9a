package conformance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
)

// TestACallThatTheEndCutsOff leaves no finding: another caller may have ended the run meanwhile.
func TestACallThatTheEndCutsOff(t *testing.T) {
	var r *run
	r, err := newRun(Options{
		URL: "http://orchestratord",
		Dial: func(context.Context, string, string) (net.Conn, error) {
			r.stop(errEnough)
			return nil, errors.New("no connection")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.session("state").send(t.Context(), call{op: r.doc.operation(opList)}, "of a list")
	if found := r.report.all; len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

// TestAnAnswerAfterThrottlingSaysSo has an answer come at the last of the tries.
func TestAnAnswerAfterThrottlingSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r, err := newRun(Options{URL: memnet.URL, Dial: memnet.Serve(t, http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls <= maxThrottled {
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				w.WriteHeader(http.StatusNotFound)
			}))})
		if err != nil {
			t.Fatal(err)
		}
		defer r.prober.close()
		a, err := r.session("test").ask(t.Context(), call{op: r.doc.operation(opList)})
		if err != nil {
			t.Fatal(err)
		}
		if got := describeStatus(a); !strings.HasPrefix(got, "404 after 429") {
			t.Errorf("%q after %d calls", got, calls)
		}
	})
}

// TestMixupsKeepTheDocument lets the names of nodes be no longer than those that the run gives.
func TestMixupsKeepTheDocument(t *testing.T) {
	r, err := newRun(Options{URL: memnet.URL})
	if err != nil {
		t.Fatal(err)
	}
	name := r.name() + "00"
	longest := int64(len(name))
	doc := *r.doc
	register := *doc.operation(opRegister)
	register.request = openapi3.NewObjectSchema().WithPropertyRef(doc.idField(),
		openapi3.NewSchemaRef("#/components/schemas/NodeId", openapi3.NewStringSchema().WithMaxLength(longest)))
	doc.operations = []*operation{&register}
	r.doc = &doc
	s := r.session("state")
	for _, step := range s.mixups() {
		if id := s.called(name, step.node); int64(len(id)) > longest {
			t.Errorf("%s is longer than the document allows: %d characters", id, longest)
		}
	}
}

// TestBehindAProxy_heavy has nothing said of connections that a proxy makes itself.
func TestBehindAProxy_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, behindAProxy)
}

func behindAProxy(t *testing.T) {
	mock, err := mockserver.New(mockserver.WithTokens(strengthToken), mockserver.WithJournal(0))
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	r, err := newRun(Options{URL: memnet.URL, Dial: memnet.Serve(t, mock), Token: strengthToken})
	if err != nil {
		t.Fatal(err)
	}
	defer r.prober.close()
	proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example:3128"})
	r.prober.kept.Proxy, r.prober.fresh.Proxy = proxy, proxy
	for _, c := range checks() {
		if slices.Contains([]string{"tokens", "negative", "transport"}, c.name) {
			r.perform(t.Context(), c)
		}
	}
	for _, c := range r.report.Checks {
		if !strings.Contains(c.Does, "proxy") || c.Unfinished != "" {
			t.Errorf("%s: %q does not say that there is a proxy, or is unfinished: %s", c.Name, c.Does, c.Unfinished)
		}
	}
	huge := func(c Cover) bool { return strings.Contains(c.Rule, strconv.Itoa(hugeBody)) }
	if slices.ContainsFunc(r.report.Coverage, huge) {
		t.Error("the report covers a body that was not sent")
	}
}

// TestShrinkingIsBounded_heavy has a defect with several findings leave time for what else there is to find.
func TestShrinkingIsBounded_heavy(t *testing.T) {
	race.Skip(t)
	synctest.Test(t, shrinkingIsBounded)
}

func shrinkingIsBounded(t *testing.T) {
	mock, err := mockserver.New(mockserver.WithTokens(strengthToken), mockserver.WithJournal(0))
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	doc := mustRead(t)
	several := onNodes("several", Nodes, func(x *exchange, node map[string]any) {
		if nodes, _ := get(x.body, pointer{"nodes"}).([]any); len(nodes) >= 20 {
			node["machine_id"], node["address"], node["pools"] = "other", "http://other", []any{"other"}
		}
	})
	r, err := newRun(Options{
		URL: memnet.URL, Dial: memnet.Serve(t, saboteur(doc, mock, several)), Token: strengthToken, Level: Nodes,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.prober.close()
	s := r.session("state")
	plan := s.mixups()
	s.walkAll(t.Context(), [][]step{plan})
	if calls := r.prober.calls.Load(); len(r.report.all) < 3 || calls > shrinkCalls+int64(4*len(plan)) {
		t.Errorf("%d findings took %d calls", len(r.report.all), calls)
	}
}
