package mockserver_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestEveryHeartbeatIsAccountedFor sends heartbeats of several nodes at once through a front with
// faults, each once. The front has all of them, and orchestratord those that the front let pass.
func TestEveryHeartbeatIsAccountedFor(t *testing.T) {
	t.Parallel()
	const nodes = 8
	beats := race.Share(60, 20)
	orchestratord := mocktest.Start(t, mockserver.WithDialect(mockserver.InService), mockserver.WithJournal(10_000))
	front := inFront(t, orchestratord.URL, mockserver.WithDialect(mockserver.InService), mockserver.WithJournal(10_000))
	some := func(effect control.FaultEffect) control.FaultRule {
		return control.FaultRule{Match: &control.FaultMatch{Probability: new(0.1)}, Effect: effect}
	}
	front.Inject(t, "some", control.FaultDefinition{Rules: control.FaultRules{
		some(control.FaultEffect{Status: new(int32(http.StatusServiceUnavailable))}),
		some(control.FaultEffect{Connection: new(control.FaultEffectConnectionResetBefore)}),
		some(control.FaultEffect{Connection: new(control.FaultEffectConnectionResetAfter)}),
		some(control.FaultEffect{Body: new(control.FaultEffectBodyTruncated)}),
	}})
	var sending sync.WaitGroup
	for n := range nodes {
		sending.Go(func() {
			for b := range beats {
				send(t, front.URL, fmt.Sprintf("gpu-node-%d", n), fmt.Sprintf("beat-%d-%d", n, b))
			}
		})
	}
	sending.Wait()
	passed, there := heartbeats(front), heartbeats(orchestratord)
	if len(passed) != nodes*beats {
		t.Errorf("%d heartbeats were sent, the front has %d", nodes*beats, len(passed))
	}
	for id, entry := range passed {
		refused := entry.Fault != nil &&
			(entry.Answer.Status == nil || *entry.Answer.Status == http.StatusServiceUnavailable)
		if _, seen := there[id]; !seen && !refused {
			t.Errorf("orchestratord has not seen %s: %s", id, entry.Summary)
		}
		delete(there, id)
	}
	for id := range there {
		t.Errorf("orchestratord has seen %s, and the front has not", id)
	}
}

// send sends a heartbeat over a connection of its own: over one that is kept, a client may send it
// again.
func send(t *testing.T, url, node, id string) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v2/nodes/"+node+"/heartbeat",
		strings.NewReader(rustHeartbeat))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Correlation-Id", id)
	request.Close = true
	if answer, err := http.DefaultClient.Do(request); err == nil { // else a fault acts
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}

// heartbeats returns those in the journal, by their correlation ids.
func heartbeats(server *mocktest.Server) map[string]control.JournalEntry {
	found := map[string]control.JournalEntry{}
	filter := journal.Filter{Operation: control.OperationHeartbeatNode, After: new(control.Sequence)}
	for {
		page := server.Journal().Page(filter, 1000)
		if len(page.Entries) == 0 {
			return found
		}
		for _, entry := range page.Entries {
			found[*entry.CorrelationID] = entry
		}
		filter.After = &page.Last
	}
}
