package mockserver_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestAHugeListIsNotHeld_heavy passes on a list of many megabytes in pieces. Orchestratord sends a piece once the
// client has the one before it, and the mock must never keep more than the beginning.
func TestAHugeListIsNotHeld_heavy(t *testing.T) {
	const size, most = 1 << 20, 8 << 20
	pieces := race.Share(t, 50, 10)
	for contentType, drifts := range map[string]int{"application/json": 0, "text/html": 1} {
		t.Run(contentType, func(t *testing.T) {
			next := make(chan struct{}, 1)
			orchestratord := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", contentType)
				for range pieces {
					select {
					case <-next:
					case <-r.Context().Done():
						return
					}
					_, _ = io.WriteString(w, strings.Repeat("x", size)) // which is no list, if anybody looks at it
					_ = http.NewResponseController(w).Flush()
				}
			}))
			t.Cleanup(orchestratord.Close)
			front := inFront(t, orchestratord.URL)
			before := heap()
			next <- struct{}{}
			answer, err := front.Client().Get(front.URL + "/v2/nodes")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			for piece := range pieces {
				if _, err := io.CopyN(io.Discard, answer.Body, size); err != nil {
					t.Fatalf("piece %d: %v", piece, err)
				}
				if piece%10 == 9 {
					if grown := heap() - before; grown > most {
						t.Errorf("after %d pieces of %d bytes, %d bytes are kept", piece+1, size, grown)
					}
				}
				if piece+1 < pieces {
					next <- struct{}{}
				}
			}
			if rest, err := io.ReadAll(answer.Body); err != nil || len(rest) > 0 {
				t.Errorf("%d bytes too many, %v", len(rest), err)
			}
			if got := front.UpstreamDrift().Entries; len(got) != drifts {
				t.Errorf("by its head alone it drifts by %v, want %d", got, drifts)
			}
		})
	}
}

// TestFaultsBeforeLongAnswers_heavy has faults act on lists that are longer than what is kept of one.
func TestFaultsBeforeLongAnswers_heavy(t *testing.T) {
	short, long := strings.Repeat("s", 100_000), strings.Repeat("l", 150_000)
	for name, test := range map[string]struct {
		effect control.FaultEffect
		list   string
		want   string // of the body
		breaks bool   // before its end
	}{
		"empty": {control.FaultEffect{Body: new(control.FaultEffectBodyEmpty)}, long, "", false},
		"garbage": {
			control.FaultEffect{Body: new(control.FaultEffectBodyGarbage)}, long, "<html>\x00\xff{\"]</", false,
		},
		"half": {
			control.FaultEffect{Body: new(control.FaultEffectBodyTruncated)}, short, short[:50_000], true,
		},
		"garbage, and close_idle": {control.FaultEffect{
			Body: new(control.FaultEffectBodyGarbage), Connection: new(control.FaultEffectConnectionCloseIdle),
		}, long, "<html>\x00\xff{\"]</", false},
		"less":      {control.FaultEffect{Body: new(control.FaultEffectBodyTruncated)}, long, long[:64<<10], true},
		"a trickle": {control.FaultEffect{Body: new(control.FaultEffectBodyTrickle)}, long, long[:64<<10], true},
		"close_idle": {control.FaultEffect{
			Connection: new(control.FaultEffectConnectionCloseIdle), RetryAfterS: new(int32(7)),
		}, long, long, false},
	} {
		for _, sized := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", with its length: ", sized), func(t *testing.T) {
				if name == "a trickle" { // 65,536 writes
					race.Skip(t)
				}
				synctest.Test(t, func(t *testing.T) {
					front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
						URL: "http://orchestratord.example", Transport: listing(test.list, sized),
					}))
					front.Inject(t, "test", control.FaultDefinition{Rules: control.FaultRules{{Effect: test.effect}}})
					answer, err := front.Client().Get(front.URL + "/v2/nodes")
					if err != nil {
						t.Fatal(err)
					}
					defer answer.Body.Close()
					got, err := io.ReadAll(answer.Body)
					if string(got) != test.want || (err != nil) != test.breaks {
						t.Errorf("%d bytes beginning with %.20q (%v), want %d with %.20q and a break: %t",
							len(got), got, err, len(test.want), test.want, test.breaks)
					}
					if stated := answer.Header.Get("Content-Length"); !test.breaks && stated != "" &&
						stated != strconv.Itoa(len(got)) {
						t.Errorf("%d bytes came, and %s were announced", len(got), stated)
					}
					body := lastExchange(front).Answer.Body
					if !test.breaks && len(got) > 0 && body.Bytes != int64(len(got)) {
						t.Errorf("%d bytes came, and the journal has %d", len(got), body.Bytes)
					}
					if test.effect.RetryAfterS != nil && answer.Header.Get("Retry-After") == "" {
						t.Errorf("the head is %v, want it changed", answer.Header)
					}
					for _, own := range []string{"X-Correlation-Id", "X-Content-Type-Options"} {
						if answer.Header[own] != nil {
							t.Errorf("the head is %v, with a header that is the mock's own", answer.Header)
						}
					}
				})
			})
		}
	}
}

// TestLongBodiesInFront sends more than is kept, in both directions. It passes, counts as no drift, and the
// journal says how much it was. The answer to a long request is judged as any other.
func TestLongBodiesInFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := `{"nodes":[],"count":0` + strings.Repeat(" ", 100_000) + "}"
		front := mocktest.InMemory(t, mockserver.WithLogger(nil), mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example",
			Transport: mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.Method == http.MethodPost {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(w, `{"success":true}`)
					return
				}
				_, _ = io.WriteString(w, list)
			})),
		}))
		p, long := &pair{t: t, front: front}, withFields(`"x":1`, longHeartbeat(100_000))
		if status, text := p.post("/v2/nodes/gpu-node-1/heartbeat", long); status != http.StatusOK {
			t.Fatalf("answered %d %s", status, text)
		}
		if got := answerTo(t, front, "/v2/nodes"); string(got) != list {
			t.Errorf("the list has %d bytes, want %d", len(got), len(list))
		}
		expectDrift(t, "nodes", front.Drift(), "")
		expectDrift(t, "orchestratord", front.UpstreamDrift(), "/next_heartbeat_ms") // in an answer that is short
		page := front.Journal().Page(journal.Filter{Kind: control.EntryKindExchange}, 10)
		sent, got := page.Entries[0].Request.Body.Bytes, page.Entries[1].Answer.Body.Bytes
		if sent != int64(len(long)) || got != int64(len(list)) {
			t.Errorf("the journal has bodies of %d and %d bytes, want %d and %d", sent, got, len(long), len(list))
		}
		answer, err := front.Client().Get(front.URL + "/v2/nodes")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = answer.Body.Read(make([]byte, 1))
		_ = answer.Body.Close() // in the middle
		synctest.Wait()
		if summary := lastExchange(front).Summary; !strings.Contains(summary, "the client has gone") {
			t.Errorf("the journal says %q", summary)
		}
	})
}

// TestTheLongestAnswerThatIsJudged has lists without a count, which departs, as long as what is kept and longer.
func TestTheLongestAnswerThatIsJudged(t *testing.T) {
	const kept = 64 << 10
	for length, pointer := range map[int]string{kept: "/count", kept + 1: ""} {
		list := listing(`{"nodes":[`+strings.Repeat(" ", length-12)+"]}", true)
		front := mocktest.InMemory(t, mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://orchestratord.example", Transport: list,
		}))
		answerTo(t, front, "/v2/nodes")
		expectDrift(t, "orchestratord", front.UpstreamDrift(), pointer)
	}
}

// listing is an orchestratord that answers with a list in pieces, perhaps with its length.
func listing(list string, sized bool) http.RoundTripper {
	return mocktest.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if sized {
			w.Header().Set("Content-Length", strconv.Itoa(len(list)))
		}
		for piece := range slices.Chunk([]byte(list), 10_000) {
			_, _ = w.Write(piece)
		}
	}))
}

// TestAnotherProtocol has a connection change to one, in which both sides then speak.
func TestAnotherProtocol(t *testing.T) {
	t.Parallel()
	orchestratord := script(t, func(connection net.Conn, _ *http.Request) {
		_, _ = io.WriteString(connection,
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.CopyN(connection, connection, 4)
	})
	front := inFront(t, orchestratord.url)
	connection, err := net.Dial("tcp", strings.TrimPrefix(front.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, "GET /other HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	lines := bufio.NewReader(connection)
	answer, err := http.ReadResponse(lines, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Upgrade") != "echo" {
		t.Fatalf("answered %+v, %v", answer, err)
	}
	_, _ = io.WriteString(connection, "ping")
	if echo, err := io.ReadAll(lines); err != nil || string(echo) != "ping" {
		t.Errorf("the echo is %q, %v", echo, err)
	}
	front.Expect(t, mocktest.AtLeast(1, mocktest.AllRequests).Within(time.Minute))
}

// TestCredentialsPassAndAreNotKept has credentials in all places where HTTP has them, in both
// directions.
func TestCredentialsPassAndAreNotKept(t *testing.T) {
	t.Parallel()
	orchestratord := script(t, says("HTTP/1.1 401 Unauthorized\r\nSet-Cookie: session=s3cret-5\r\n"+
		"WWW-Authenticate: Bearer realm=\"o\", error_description=\"no s3cret-1\"\r\nContent-Type: application/json\r\n"+
		"Connection: close\r\nX-Api-Key: s3cret-6\r\n\r\n"+
		`{"token":"s3cret-7","detail":"s3cret-1 is no token, nor is Bearer s3cret-1"}`))
	var log strings.Builder
	front := inFront(t, orchestratord.url,
		mockserver.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	got := exchangeRaw(t, front, "POST /v2/nodes/n/heartbeat?access_token=s3cret-2 HTTP/1.1\r\nHost: h\r\n"+
		"Authorization: Bearer s3cret-1\r\nCookie: session=s3cret-3\r\nConnection: close\r\n"+
		"Content-Type: application/json\r\nContent-Length: 24\r\n\r\n"+`{"api_secret":"s3cret4"}`)
	request := <-orchestratord.seen
	if request.Header.Get("Authorization") != "Bearer s3cret-1" || request.URL.RawQuery != "access_token=s3cret-2" ||
		!strings.Contains(<-orchestratord.body, "s3cret4") || strings.Count(got, "s3cret") != 6 {
		t.Errorf("the credentials have not passed: %+v, %s", request, got)
	}
	entries := front.Journal().Page(journal.Filter{}, 10).Entries
	text, err := json.Marshal(entries)
	if err != nil || len(entries) == 0 {
		t.Fatalf("the journal has %v, %v", entries, err)
	}
	kept := map[string]string{"journal": string(text), "log": log.String()}
	for _, path := range []string{
		"/__mock/journal", "/__mock/journal.har", "/__mock/drift", "/__mock", "/__mock/nodes", "/metrics",
	} {
		kept[path] = string(answerTo(t, front, path))
	}
	for where, text := range kept {
		if at := strings.Index(text, "s3cret"); at >= 0 || text == "" {
			t.Errorf("a credential is in %s: %s", where, text[max(at-200, 0):])
		}
	}
}

// TestTheEndOfABody departs from the document there, beyond what the journal keeps.
func TestTheEndOfABody(t *testing.T) {
	p := newPair(t, mockserver.Document)
	beat := `{"timestamp":"2025-10-01T00:00:00Z","pools":[]` + strings.Repeat(" ", 60_000) + `,"extra":1}`
	p.post("/v2/nodes/gpu-node-1/heartbeat", beat)
	expectDrift(t, "nodes", p.front.Drift(), "/extra")
}
