package conformance

import (
	"context"
	"errors"
	"net"
	"testing"
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
