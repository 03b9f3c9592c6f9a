package mockserver_test

import (
	"bytes"
	"context"
	"fmt"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// log keeps what is logged.
type log struct {
	logger *slog.Logger

	mu   sync.Mutex
	kept []entry
}

type entry struct {
	time    time.Time
	level   slog.Level
	message string
	attrs   map[string]string
}

func newLog() *log {
	l := &log{}
	l.logger = slog.New(l)
	return l
}

func (l *log) Enabled(context.Context, slog.Level) bool { return true }

func (l *log) Handle(_ context.Context, r slog.Record) error {
	attrs := map[string]string{}
	r.Attrs(func(attr slog.Attr) bool {
		attrs[attr.Key] = attr.Value.Resolve().String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, entry{r.Time, r.Level, r.Message, attrs})
	return nil
}

func (l *log) WithAttrs([]slog.Attr) slog.Handler { panic("not used") }
func (l *log) WithGroup(string) slog.Handler      { panic("not used") }

// entries returns what was logged with a message, and everything when it is empty.
func (l *log) entries(message string) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.kept), func(e entry) bool { return message != "" && e.message != message })
}

// TestLog makes everything happen that is logged.
func TestLog(t *testing.T) {
	log := newLog()
	clock := clock.PausedAt(time.Unix(1_000_000_000, 0))
	client, _ := start(t, mockserver.WithLogger(log.logger), mockserver.WithClock(clock))
	const path, beats = "/v2/nodes/gpu-node-1", "/v2/nodes/gpu-node-1/heartbeat"
	for i, call := range []struct{ method, path, body string }{
		{"POST", "/v2/nodes/register", briefRegistration},
		{"POST", "/v2/nodes/register", briefRegistration},
		{"POST", beats, briefHeartbeat},
		{"POST", beats, briefHeartbeat},
		{"POST", beats, drainingHeartbeat},
		{"POST", beats, "{}"},
		{"GET", "/v2/nodes", ""},
		{"POST", beats, briefHeartbeat},
		{"POST", "/v2/nodes/register", briefRegistration},
		{"POST", beats, drainingHeartbeat},
		{"DELETE", path, ""},
	} {
		if i == 7 {
			clock.Advance(time.Minute)
		}
		client.do(call.method, call.path, call.body, "Content-Type", "application/json", "X-Correlation-Id",
			strconv.Itoa(i+1))
	}
	var got []string
	for _, e := range log.entries("") {
		line := strings.Join([]string{
			e.level.String(), e.message, e.attrs["node_id"], e.attrs["machine_id"],
			e.attrs["correlation_id"],
		}, " ")
		if e.level == slog.LevelWarn {
			line += strings.Join([]string{"", e.attrs["kind"], e.attrs["status"], e.attrs["code"]}, " ")
		}
		got = append(got, line)
	}
	want := []string{
		"INFO node registered gpu-node-1 machine-alpha 1",
		"INFO refused by the orchestratord in service gpu-node-1  1",
		"INFO node registered again gpu-node-1 machine-alpha 2",
		"DEBUG heartbeat gpu-node-1 machine-alpha 3",
		"INFO node online gpu-node-1 machine-alpha 3",
		"INFO refused by the orchestratord in service gpu-node-1  3",
		"INFO refused by the orchestratord in service gpu-node-1  3",
		"INFO refused by the orchestratord in service gpu-node-1  3",
		"DEBUG heartbeat gpu-node-1 machine-alpha 4",
		"DEBUG heartbeat gpu-node-1 machine-alpha 5",
		"INFO node draining gpu-node-1 machine-alpha 5",
		"WARN departure from the contract gpu-node-1  6 required  ",
		"WARN departure from the contract gpu-node-1  6 required  ",
		"WARN request refused   6  422 contract_violation",
		"INFO node offline gpu-node-1 machine-alpha ",
		"DEBUG heartbeat gpu-node-1 machine-alpha 8",
		"INFO node online gpu-node-1 machine-alpha 8",
		"INFO node registered again gpu-node-1 machine-alpha 9",
		"DEBUG heartbeat gpu-node-1 machine-alpha 10",
		"INFO node draining gpu-node-1 machine-alpha 10",
		"INFO node deregistered gpu-node-1 machine-alpha 11",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestLogInService says more than the answers do: that a node registers again.
func TestLogInService(t *testing.T) {
	log := newLog()
	s := inService(t, mockserver.WithLogger(log.logger))
	s.register()
	s.register()
	for _, message := range []string{"node registered", "node registered again"} {
		if got := len(log.entries(message)); got != 1 {
			t.Errorf("the log has %q %d times, want once", message, got)
		}
	}
}

// TestTwinInService has another node register that has been silent for too long, before a check has noticed.
func TestTwinInService(t *testing.T) {
	log := newLog()
	s := inService(t, mockserver.WithLogger(log.logger))
	s.register()
	s.beat()
	s.pass(35 * time.Second)
	s.must(200, "POST", "/v2/nodes/register", strings.Replace(rustRegistration, "machine-alpha", "machine-beta", 1))
	for _, e := range log.entries("") {
		if e.level >= slog.LevelWarn {
			t.Errorf("logged %v", e)
		}
	}
}

// TestLogOfNodesInFront says whether they register again, and nothing of those that there is no room for.
func TestLogOfNodesInFront(t *testing.T) {
	log := newLog()
	p := newPair(t, mockserver.InService, mockserver.WithLogger(log.logger), mockserver.WithMaxNodes(1))
	for _, id := range []string{"gpu-node-1", "gpu-node-1", "gpu-node-2"} {
		p.post("/v2/nodes/register", strings.Replace(rustRegistration, "gpu-node-1", id, 1))
	}
	for _, message := range []string{"node registered", "node registered again"} {
		if got := log.entries(message); len(got) != 1 || got[0].attrs["node_id"] != "gpu-node-1" {
			t.Errorf("%s: logged %v", message, got)
		}
	}
}

// TestNothingIsLoggedByDefault lets a server without a logger refuse a request.
func TestNothingIsLoggedByDefault(t *testing.T) {
	log, was, flags := newLog(), slog.Default(), stdlog.Flags()
	slog.SetDefault(log.logger)
	defer func() { slog.SetDefault(was); stdlog.SetOutput(os.Stderr); stdlog.SetFlags(flags) }()
	for _, options := range [][]mockserver.Option{nil, {mockserver.WithLogger(nil)}} {
		newServer(t, options...).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PUT", "/v2/nodes", nil))
	}
	if got := log.entries(""); len(got) > 0 {
		t.Errorf("logged %v", got)
	}
}

// TestTokensStaySecret looks for tokens, the right one and wrong ones, in the log and
// in the answers (CLOUD-4013).
func TestTokensStaySecret(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, _ := start(t, mockserver.WithTokens("hush-right"), mockserver.WithLogger(logger))
	for _, authorization := range []string{"Bearer hush-right", "Bearer hush-wrong", "hush-bare", "Basic hush-basic"} {
		answer := client.do("DELETE", "/v2/nodes/gpu-node-1", "", "Authorization", authorization)
		if answer.StatusCode < http.StatusBadRequest || bytes.Contains(answer.text, []byte("hush")) {
			t.Errorf("answer to %q: %s", authorization, answer.text)
		}
	}
	if strings.Contains(text.String(), "hush") || text.Len() == 0 {
		t.Errorf("log: %s", text.String())
	}
}

// TestLackOfATokenIsLoggedInWords, which say how to send one and hold no secret to mask.
func TestLackOfATokenIsLoggedInWords(t *testing.T) {
	log := newLog()
	client, _ := start(t, mockserver.WithTokens("hush-right"), mockserver.WithLogger(log.logger))
	client.do("DELETE", "/v2/nodes/gpu-node-1", "")
	refused := log.entries("request refused")
	if len(refused) != 1 {
		t.Fatalf("there are %d lines about refused requests, want 1", len(refused))
	}
	const want = "this orchestratord requires a token: send it as 'Authorization: Bearer <token>'"
	if got := refused[0].attrs["detail"]; got != want {
		t.Errorf("the detail is %q, want %q", got, want)
	}
}

// TestTokensOutOfPlaceStaySecret sends a token where it does not belong: in the path, and
// as the name and as the value of a field (CLOUD-4013).
func TestTokensOutOfPlaceStaySecret(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, server := start(t, mockserver.WithTokens("hush-right"), mockserver.WithLogger(logger))
	bearer := []string{"Authorization", "Bearer hush-right"}
	client.do("DELETE", "/v2/nodes/hush-right", "", bearer...).expect(t, http.StatusNotFound)
	client.do("GET", "/v3/hush-right", "", bearer...).expect(t, http.StatusNotFound)
	client.do("POST", "/v2/nodes/register", withFields(`"hush-right":1`, briefRegistration),
		append(bearer, "Content-Type", "application/json")...).expect(t, http.StatusOK)
	drifted := fmt.Sprint(server.Drift())
	if !strings.Contains(drifted, "**********") || !strings.Contains(text.String(), "**********") {
		t.Errorf("nothing was logged (%s) or noted (%s)", &text, drifted)
	}
	inService(t, mockserver.WithLogger(logger)).call("POST", "/v2/nodes/gpu-node-1/heartbeat",
		strings.Replace(rustHeartbeat, "true", `"hush-right"`, 1), "Authorization: Bearer hush-right")
	if strings.Contains(text.String(), "hush") || strings.Contains(drifted, "hush") {
		t.Errorf("log: %s\ndrift: %s", &text, drifted)
	}
}

// TestHeartbeatLog looks at what a heartbeat in the log says of the pools.
func TestHeartbeatLog(t *testing.T) {
	log := newLog()
	client, _ := start(t, mockserver.WithLogger(log.logger))
	client.register(briefRegistration).expect(t, http.StatusOK)
	client.beat("gpu-node-1", `{"timestamp":"2025-10-01T00:00:00Z","pools":[
		{"pool_id":"a","ready":true,"slots_free":3,"slots_total":4},
		{"pool_id":"b","ready":false,"slots_free":0},
		{"pool_id":"c","ready":true,"slots_free":1,"draining":true},
		{"pool_id":"d","ready":true,"slots_free":4,"slots_total":4}]}`).expect(t, http.StatusOK)
	const want = "a:3/4 b:0(not ready) c:1(draining) d:4/4"
	if beats := log.entries("heartbeat"); len(beats) != 1 || beats[0].attrs["pools"] != want {
		t.Errorf("logged %v, want pools %s", beats, want)
	}
}

// TestCutSecrets_heavy sends a token out of its place, where a text that is repeated is cut, so
// that some of the token would be left.
func TestCutSecrets_heavy(t *testing.T) {
	race.Skip(t)
	log := newLog()
	client, server := start(t, mockserver.WithLogger(log.logger), mockserver.WithValidation(mockserver.Report))
	const token = "SECRETTOKEN-0123"
	for before := 100; before < 130; before++ {
		text := strings.Repeat("x", before) + token
		header := []string{"Authorization", "Bearer " + token}
		answers := []answer{
			client.do("GET", "/"+text, "", header...),
			client.do("DELETE", "/v2/nodes/"+text, "", header...),
			client.do(text, "/v2/nodes", "", header...),
			client.do("GET", "/__mock/nodes?"+text+"=1", "", header...),
			client.do("POST", "/v2/nodes/register", "{}", append(header, "Content-Type", text)...),
			client.do("POST", "/v2/nodes/register", edited(t, briefRegistration, "/"+text, 1),
				append(header, "Content-Type", "application/json")...),
		}
		for _, got := range answers {
			if strings.Contains(string(got.text), "SEC") {
				t.Errorf("%d characters before it: the answer has %s", before, got.text)
			}
		}
	}
	shown := fmt.Sprint(log.entries(""), server.Drift(), server.Journal().Page(journal.Filter{}, 1000))
	if at := strings.Index(shown, "SEC"); at >= 0 {
		t.Errorf("it is shown as %.200s", shown[max(0, at-150):])
	}
	if !strings.Contains(shown, "unknown") || !strings.Contains(shown, "x***") {
		t.Errorf("that there was a token is not shown: %.1000s", shown)
	}
}

// TestATokenIsMaskedBeforeItIsCut sends the request's token as a value, so that the end of what is
// repeated is in the middle of it.
func TestATokenIsMaskedBeforeItIsCut(t *testing.T) {
	log := newLog()
	client, _ := start(t, mockserver.WithTokens("hush-hush-hush-hush"), mockserver.WithLogger(log.logger))
	body := edited(t, fullRegistration, "/capabilities/gpu_count", strings.Repeat("x", 30)+"hush-hush-hush-hush")
	answer := client.do("POST", "/v2/nodes/register", body, "Content-Type", "application/json",
		"Authorization", "Bearer hush-hush-hush-hush").expect(t, http.StatusUnprocessableEntity)
	if kept := fmt.Sprint(log.kept); strings.Contains(kept+string(answer.text), "hush") || kept == "[]" {
		t.Errorf("answered %s, log %s", answer.text, kept)
	}
}
