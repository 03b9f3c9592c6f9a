package conformance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/memnet"
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
