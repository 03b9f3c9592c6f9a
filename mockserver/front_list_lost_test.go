package mockserver_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestARecordedListThatCannotBeRead names one node before it breaks off. It says nothing of the others.
func TestARecordedListThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := recording(t)
		p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
		time.Sleep(time.Second)
		p.front.JudgeList(strings.NewReader(`{"nodes":[{"node_id":"gpu-node-2"},`), time.Now())
		if got := p.overview(); got.Listed != nil || len(*got.Unlisted) > 0 {
			t.Errorf("the overview is %+v", got)
		}
	})
}

// TestAListThatCannotBeHadAnyMore has orchestratord list its nodes once, and then refuse to, and hang. What it
// listed is still known.
func TestAListThatCannotBeHadAnyMore(t *testing.T) {
	turns := []struct {
		list    http.HandlerFunc
		problem string
	}{
		{func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"nodes":[{"node_id":"gpu-node-1"}],"count":1}`)
		}, ""},
		{func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "who are you?")
		}, "the list was answered 401: state a token for it, or another"},
		{func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "context deadline exceeded"},
	}
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		var turn atomic.Int32
		p := &pair{t: t, front: mocktest.InMemory(t, mockserver.WithLogger(log.logger),
			mockserver.WithUpstream(mockserver.Upstream{
				URL: "http://orchestratord.example",
				Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						turns[turn.Load()].list(w, r)
						return
					}
					confirm(w, r)
				})),
			}))}
		for i, want := range turns {
			turn.Store(int32(i))
			for range 4 { // longer than a list may take
				p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
				time.Sleep(10 * time.Second)
			}
			got := p.overview()
			if problem := optional.Or(got.Problem, ""); !strings.HasSuffix(problem, want.problem) ||
				(problem == "") != (want.problem == "") || optional.Or(got.Listed, 0) != 1 {
				t.Errorf("the overview is %+v with the problem %q, want one node and %q", got, problem, want.problem)
			}
		}
		if logged := log.entries("list of orchestratord cannot be compared"); len(logged) != 2 {
			t.Errorf("logged %v, want each problem once", logged)
		}
	})
}

// TestAListThatCannotBeHad is logged once, however often it is asked for, and not because the server ends.
func TestAListThatCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		var hangs, lists atomic.Bool
		front := mocktest.InMemory(t, mockserver.WithLogger(log.logger), mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method != http.MethodGet:
					confirm(w, r)
				case hangs.Load():
					<-r.Context().Done()
				case lists.Load():
					_, _ = io.WriteString(w, `{"nodes":[],"count":0}`)
				default:
					w.WriteHeader(http.StatusInternalServerError)
				}
			})),
		}))
		p := &pair{t: t, front: front}
		p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
		for _, problem := range []string{"the list was answered 500", ""} {
			time.Sleep(11 * time.Second)
			if got := optional.Or(p.overview().Problem, ""); got != problem {
				t.Errorf("the problem is %q, want %q", got, problem)
			}
			p.post("/v2/nodes/gpu-node-1/heartbeat", briefHeartbeat)
			lists.Store(true)
		}
		hangs.Store(true)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		front.Close()
		logged := log.entries("list of orchestratord cannot be compared")
		if len(logged) != 1 || logged[0].attrs["error"] != "the list was answered 500" {
			t.Errorf("logged %v, want the 500 once", logged)
		}
	})
}
