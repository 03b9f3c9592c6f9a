package mockserver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// inFront starts a server that stands in front of an orchestratord.
func inFront(t testing.TB, url string, options ...mockserver.Option) *mocktest.Server {
	t.Helper()
	return mocktest.Start(t, append(options, mockserver.WithUpstream(mockserver.Upstream{URL: url}))...)
}

// TestThePathBeforeAllOthers has an orchestratord below a path of its own.
func TestThePathBeforeAllOthers(t *testing.T) {
	for _, base := range []string{"", "/somewhere", "/some%2Fwhere"} {
		asked := ""
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example" + base + "/",
			Transport: mocktest.Transport(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked = r.URL.EscapedPath()
			})),
		}))
		for _, path := range []string{"/v2/nodes", "/v2/nodes/a%2Fb"} {
			if answerTo(t, front, path); asked != base+path {
				t.Errorf("%s below %q: asked for %s", path, base, asked)
			}
		}
	}
}

// pair is a server in front of an orchestratord, both in memory.
type pair struct {
	t             *testing.T
	front         *mocktest.Server
	orchestratord *mocktest.Server
}

func newPair(t *testing.T, dialect mockserver.Dialect, inFront ...mockserver.Option) *pair {
	t.Helper()
	orchestratord := mocktest.InMemory(t, mockserver.WithDialect(dialect))
	front := mocktest.InMemory(t, append(inFront, mockserver.WithDialect(dialect),
		mockserver.WithUpstream(mockserver.Upstream{
			URL: orchestratord.URL, Transport: mocktest.Transport(orchestratord.Server),
		}))...)
	return &pair{t, front, orchestratord}
}

// post sends a request through the front, and returns the status and the body of the answer.
func (p *pair) post(path, body string) (int, string) {
	p.t.Helper()
	answer, err := p.front.Client().Post(p.front.URL+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// overview returns what the control API says of the orchestratord.
func (p *pair) overview() control.Upstream {
	p.t.Helper()
	answer, err := p.front.Control().GetOverviewWithResponse(p.t.Context())
	if err != nil || answer.JSON200 == nil || answer.JSON200.Upstream == nil {
		p.t.Fatalf("no overview with an upstream: %v, %v", answer, err)
	}
	return *answer.JSON200.Upstream
}

func TestDriftOfBothSides(t *testing.T) {
	t.Parallel()
	orchestratord := script(t, says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		"Content-Length: 33\r\n\r\n"+`{"success":true,"next_beat_ms":1}`))
	log := newLog()
	front := inFront(t, orchestratord.url, mockserver.WithLogger(log.logger))
	mock, ctx := front.Control(), t.Context()
	for name, forget := range map[string]func(){
		"cleared": func() { must(mock.ClearDriftWithResponse(ctx)) },
		"reset":   func() { must(mock.ResetWithResponse(ctx)) },
	} {
		answer, err := http.Post(front.URL+"/v2/nodes/gpu-node-1/heartbeat?fast=1", "application/json",
			strings.NewReader(
				`{"timestamp":"2025-10-01T00:00:00Z","pools":[{"pool_id":"p","ready":"yes","slots_free":1}]}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		expectDrift(t, "nodes", front.Drift(), "? /pools/*/ready")
		expectDrift(t, "orchestratord", front.UpstreamDrift(), "/next_heartbeat_ms /next_beat_ms")
		report, err := mock.ReadDriftWithResponse(ctx)
		if err != nil || report.JSON200 == nil || report.JSON200.Upstream == nil ||
			len(report.JSON200.Upstream.Departures) != 2 ||
			*report.JSON200.Upstream.Departures[0].Departure.Status != http.StatusOK {
			t.Errorf("the control API says %s, %v", report.Body, err)
		}
		forget()
		expectDrift(t, "nodes, "+name, front.Drift(), "")
		expectDrift(t, "orchestratord, "+name, front.UpstreamDrift(), "")
	}
	for _, message := range []string{"departure from the contract", "orchestratord departs from the contract"} {
		if got := log.entries(message); len(got) != 4 || got[0].level != slog.LevelWarn {
			t.Errorf("%q is logged as %v, want four warnings", message, got)
		}
	}
}

func expectDrift(t *testing.T, side string, report drift.Report, pointers string) {
	t.Helper()
	left := strings.Fields(pointers)
	for _, entry := range report.Entries {
		found := false
		for i, pointer := range left {
			if strings.HasPrefix(entry.Pointer, pointer) {
				left, found = append(left[:i], left[i+1:]...), true
				break
			}
		}
		if !found {
			t.Errorf("%s: drift that is none: %s", side, entry.Departure)
		}
	}
	if len(left) > 0 {
		t.Errorf("%s: no drift at %v, but %v", side, left, report.Entries)
	}
}

// An answer that says nothing where the document says something departs from it.
func TestEmptyAnswers(t *testing.T) {
	orchestratord := script(t, says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n"+
		"Content-Type: application/json\r\n\r\n"))
	front := inFront(t, orchestratord.url)
	answer, err := http.Post(front.URL+"/v2/nodes/gpu-node-1/heartbeat", "application/json",
		strings.NewReader(briefHeartbeat))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if report := front.UpstreamDrift(); len(report.Entries) != 1 {
		t.Errorf("orchestratord departs by %+v", report.Entries)
	}
}

// TestEmptyRequests sends nothing where the document has a body.
func TestEmptyRequests(t *testing.T) {
	p := newPair(t, mockserver.Document)
	p.post("/v2/nodes/gpu-node-1/heartbeat", "")
	if report := p.front.Drift(); len(report.Entries) != 1 || report.Entries[0].Kind != drift.Malformed {
		t.Errorf("nodes depart by %+v, want a body that is none", report.Entries)
	}
}

// TestPathsOfPages sends what the pages of the mock do not take. That passes, and is nobody's: a drift of path
// where it is no method of the contract's. No fault acts on it.
func TestPathsOfPages(t *testing.T) {
	t.Parallel()
	front := inFront(t, script(t, says("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")).url)
	front.SwitchOn(t, "outage")
	for _, path := range []string{"/", "/metrics", "/v2/nodes", "/v2/nodes//heartbeat"} {
		answer, err := http.Post(front.URL+path, "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: answered %s", path, answer.Status)
		}
	}
	expectDrift(t, "nodes", front.Drift(), "/ /metrics /v2/nodes /v2/nodes//heartbeat")
}

func TestWhatIsTheUpstreamsOwnCannotBeChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, mockserver.Document)
		for _, call := range [][3]string{
			{http.MethodPatch, "/clock", `{"running":false}`},
			{http.MethodPost, "/clock/advance", `{"by_ms":1}`},
			{http.MethodPatch, "/settings", `{"cloud_profile":false}`},
			{http.MethodPatch, "/settings", `{"tokens":[]}`},
			{http.MethodPatch, "/settings", `{"heartbeat_interval_ms":9000}`},
			{http.MethodPatch, "/settings", `{"stale_check_interval_ms":9000}`},
			{http.MethodPatch, "/settings", `{"validation":"strict"}`},
			{http.MethodPut, "/nodes", `{"nodes":[]}`},
			{http.MethodDelete, "/nodes/n", ""},
			{http.MethodPut, "/nodes/n/status", `{"status":"Offline"}`},
		} {
			request, _ := http.NewRequest(call[0], p.front.URL+"/__mock"+call[1], strings.NewReader(call[2]))
			if call[2] != "" {
				request.Header.Set("Content-Type", "application/json")
			}
			answer, err := p.front.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusConflict || !strings.Contains(string(text), "not_applicable") {
				t.Errorf("%s %s answered %d %s, want 409", call[0], call[1], answer.StatusCode, text)
			}
		}
		if got := must(p.front.Control().ReadSettingsWithResponse(t.Context())).JSON200; got.Validation != "report" {
			t.Errorf("validation is %s, and nothing is refused", got.Validation)
		}
		for _, mode := range []control.Validation{control.ValidationOff, control.ValidationReport} {
			change := control.SettingsChange{Validation: &mode}
			if got := must(p.front.Control().ChangeSettingsWithResponse(t.Context(), change)); got.JSON200 == nil {
				t.Errorf("validation %s is refused: %s", mode, got.Body)
			}
		}
		if state, known := p.front.Faults().Switch("amnesia", true); known {
			t.Errorf("there is a fault that makes another orchestratord forget: %+v", state)
		}
	})
}

// TestFaultsActOnTheTraffic has faults spoil what passes.
func TestFaultsActOnTheTraffic(t *testing.T) {
	t.Parallel()
	orchestratord := mocktest.Start(t)
	front := inFront(t, orchestratord.URL)
	beat := func(effect control.FaultEffect) string {
		front.Inject(t, "test", control.FaultDefinition{Rules: control.FaultRules{{Effect: effect}}})
		return exchangeRaw(t, front, "POST /v2/nodes/gpu-node-1/heartbeat HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"+
			"Content-Type: application/json\r\nContent-Length: 47\r\n\r\n"+
			`{"timestamp":"2025-10-01T00:00:00Z","pools":[]}`)
	}
	if got := beat(control.FaultEffect{Status: new(int32(503))}); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("a status: got %q", got)
	}
	orchestratord.Expect(t, mocktest.Exactly(0, mocktest.Heartbeats))
	if got := beat(control.FaultEffect{Connection: new(control.FaultEffectConnectionResetBefore)}); got != "" {
		t.Errorf("a connection that is reset: got %q", got)
	}
	orchestratord.Expect(t, mocktest.Exactly(0, mocktest.Heartbeats))
	if got := beat(control.FaultEffect{Connection: new(control.FaultEffectConnectionResetAfter)}); got != "" {
		t.Errorf("a connection that is reset after: got %q", got)
	}
	orchestratord.Expect(t, mocktest.Exactly(1, mocktest.Heartbeats))
	if got := beat(control.FaultEffect{Body: new(control.FaultEffectBodyGarbage)}); !strings.Contains(got, "\xff{") {
		t.Errorf("garbage: got %q", got)
	}
	if got := beat(control.FaultEffect{RetryAfterS: new(int32(7))}); !strings.Contains(got, "Retry-After: 7\r\n") {
		t.Errorf("a header: got %q", got)
	}
	orchestratord.Expect(t, mocktest.Exactly(3, mocktest.Heartbeats))
	front.Expect(t, mocktest.Exactly(5, mocktest.Heartbeats))
}

// TestAFaultBeforeChunks closes the connection under the client's next request, and not before. An answer in
// chunks is kept for that, and gets a length.
func TestAFaultBeforeChunks(t *testing.T) {
	t.Parallel()
	front := inFront(t, script(t, says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n2\r\n\":\r\n2\r\n1}\r\n0\r\n\r\n")).url)
	front.Inject(t, "test", control.FaultDefinition{Rules: control.FaultRules{{
		Effect: control.FaultEffect{Connection: new(control.FaultEffectConnectionCloseIdle)},
	}}})
	const request = "GET /v2/nodes HTTP/1.1\r\nHost: h\r\n\r\n"
	got := exchangeRaw(t, front, request+request) // the second is on its way
	if answer := readAnswer(t, got); answer.Body != `{"":1}` || answer.Length != 6 ||
		strings.Contains(got, "Connection: close") {
		t.Errorf("the client got %q", got)
	}
}

// TestAClientThatGoesBeforeThereIsAConnection has nobody blame orchestratord for that.
func TestAClientThatGoesBeforeThereIsAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "https://192.0.2.1",
			Transport: mockserver.NewUpstreamTransport(func(ctx context.Context) (*tls.Config, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}),
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, front.URL+"/v2/nodes", nil)
		request.RequestURI = ""
		if answer, err := front.Client().Do(request); err == nil {
			t.Errorf("answered %s", answer.Status)
		}
		synctest.Wait()
		if summary := lastExchange(front).Summary; !strings.Contains(summary, "the client has gone") {
			t.Errorf("the journal says %q", summary)
		}
	})
}

// TestATransportWhoseConfigurationHangs waits for it no longer than for a connection.
func TestATransportWhoseConfigurationHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := mockserver.NewUpstreamTransport(func(ctx context.Context) (*tls.Config, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://192.0.2.1", nil)
		if _, err := transport.RoundTrip(request); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
	})
}
