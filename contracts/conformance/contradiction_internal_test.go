package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestShortContradiction has a heartbeat bring back a node that leaves meanwhile, among calls that explain
// themselves.
func TestShortContradiction(t *testing.T) {
	doc := mustRead(t)
	at := func(from, to int64, op string, node, status int, record string) porcupine.Operation {
		seen := sight{known: true, status: status, record: record, listed: op == opList}
		if seen.listed {
			seen.state = nodeapi.NodeStatusOnline
		}
		d := deed{op: op, node: node}
		if op == opRegister {
			d.record = record
		}
		c := call{op: doc.operation(op), node: "node-1"}
		return porcupine.Operation{Input: d, Output: seen, Call: from, Return: to, Metadata: c}
	}
	history := []porcupine.Operation{
		at(0, 1, opRegister, 0, http.StatusOK, "other"),
		at(0, 1, opRegister, 1, http.StatusOK, "0"),
		at(2, 3, opHeartbeat, 1, http.StatusOK, ""),
		at(4, 5, opList, 1, http.StatusOK, "0"),
		at(6, 10, opHeartbeat, 1, http.StatusOK, ""),
		at(7, 9, opDeregister, 1, http.StatusNoContent, ""),
		at(8, 11, opDeregister, 1, http.StatusNotFound, ""),
		at(12, 13, opList, 1, http.StatusOK, "0"),
		at(14, 15, opDeregister, 1, http.StatusNoContent, ""),
		at(16, 17, opRegister, 1, http.StatusOK, "1"),
	}
	part := shortContradiction(history, false)
	want := "at once heartbeatNode: 200, deregisterNode: 204; list: 0, Online"
	if got := inWords(part); got != want {
		t.Fatalf("not %q, but %q", want, got)
	}
	script := replayer(t, "http://orchestratord").script(history, part)
	for i, sign := range []string{"/v2/nodes/register'", "/heartbeat", "DELETE", "wait", "GET"} {
		if i >= len(script) || !strings.Contains(script[i], sign) {
			t.Fatalf("the script is\n%s", strings.Join(script, "\n"))
		}
	}
	if whole := shortContradiction(history[:4], false); whole != nil {
		t.Errorf("it finds fault with %s", inWords(whole))
	}
}
