package mockserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
)

// event is a server-sent event.
type event struct{ id, name, data string }

// follow opens a stream and returns what reads its next event, which is false at its end.
func follow(t *testing.T, server, query string, headers ...string) (next func() (event, bool), leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a missing event ends a test, not the whole run
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/__mock/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("status %d, content type %q", response.StatusCode, got)
	}
	lines := bufio.NewReader(response.Body)
	t.Cleanup(func() { cancel(); response.Body.Close() })
	return func() (event, bool) { return readEvent(lines) }, cancel
}

// readEvent returns the next event, and passes over comments.
func readEvent(lines *bufio.Reader) (event, bool) {
	var e event
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return e, false
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e, true
			}
		}
	}
}

// entries returns the entries of an event, and fails the test if it has none.
func (e event) entries(t *testing.T) []control.JournalEntry {
	t.Helper()
	var entries []control.JournalEntry
	if e.name != "entries" || json.Unmarshal([]byte(e.data), &entries) != nil || len(entries) == 0 {
		t.Fatalf("event %+v", e)
	}
	if last := entries[len(entries)-1].Sequence; e.id != fmt.Sprint(last) {
		t.Errorf("event %s ends with entry %d", e.id, last)
	}
	return entries
}

func TestStream(t *testing.T) {
	client, server := start(t)
	next, _ := follow(t, server.URL, "")
	client.do("DELETE", "/__mock/drift", "").expect(t, http.StatusNoContent)
	first, _ := next()
	if got := first.entries(t); got[0].Kind != control.EntryKindControl || got[0].Summary != "drift forgotten" {
		t.Errorf("entries %+v", got)
	}
	client.do("DELETE", "/__mock/drift", "").expect(t, http.StatusNoContent)
	client.do("PATCH", "/__mock/clock", `{"speed": 2}`, "Content-Type", "application/json").expect(t, http.StatusOK)

	again, _ := follow(t, server.URL, "?after=0", "Last-Event-ID", first.id)
	if e, _ := again(); len(e.entries(t)) != 2 {
		t.Errorf("after event %s comes %+v", first.id, e)
	}
	all, _ := follow(t, server.URL, "?after=0")
	if e, _ := all(); len(e.entries(t)) != 3 {
		t.Errorf("from the beginning there are %+v", e)
	}
}

// TestFilteredStreams follows those entries that the journal lists by the same query.
func TestFilteredStreams(t *testing.T) {
	client, server := start(t)
	client.register(briefRegistration).expect(t, http.StatusOK)
	client.register(registrationOf("other")).expect(t, http.StatusOK)
	client.beat("gpu-node-1", "{}").expect(t, http.StatusUnprocessableEntity)
	client.do("DELETE", "/__mock/drift", "").expect(t, http.StatusNoContent)
	for query, count := range map[string]int{
		"after=0": 6, "after=2": 4, "after=0&node=gpu-node-1": 3, "after=0&operation=registerNode": 2,
		"after=0&kind=change": 2, "after=0&answered=4xx": 1, "after=0&detail=brief": 6, "after=0&detail=full": 6,
	} {
		var page control.JournalPage
		decode(t, client.do("GET", "/__mock/journal?"+query, "").expect(t, http.StatusOK).text, &page)
		next, leave := follow(t, server.URL, "?"+query)
		e, _ := next()
		leave()
		if diff := cmp.Diff(page.Entries, e.entries(t)); diff != "" || len(page.Entries) != count {
			t.Errorf("%q: %d entries, want %d (-listed +followed):\n%s", query, len(page.Entries), count, diff)
		}
	}
}

func TestAStreamSaysWhatItMissed(t *testing.T) {
	client, server := start(t, mockserver.WithLogger(nil), mockserver.WithJournal(10))
	for range 25 {
		client.do("DELETE", "/__mock/drift", "").expect(t, http.StatusNoContent)
	}
	for after, missed := range map[int]int{5: 10, 14: 1} {
		next, _ := follow(t, server.URL, fmt.Sprint("?after=", after))
		if e, _ := next(); e.name != "dropped" || e.data != fmt.Sprintf(`{"dropped":%d}`, missed) {
			t.Errorf("first event %+v", e)
		}
		if e, _ := next(); len(e.entries(t)) != 10 {
			t.Errorf("second event %+v", e)
		}
	}
}

// TestStreamEnds ends streams from either side. That nothing is left of them the check for
// leaks sees to.
func TestStreamEnds(t *testing.T) {
	_, server := start(t)
	for range 3 {
		_, leave := follow(t, server.URL, "")
		leave()
	}
	var streams []func() (event, bool)
	for range 3 {
		next, _ := follow(t, server.URL, "")
		streams = append(streams, next)
	}
	server.Close()
	for _, next := range streams {
		if e, more := next(); more {
			t.Errorf("after Close there is %+v", e)
		}
	}
	next, _ := follow(t, server.URL, "") // another one ends at once
	if e, more := next(); more {
		t.Errorf("after Close there is %+v", e)
	}
}

// TestStreamOutlastsDeadlines follows a server that gives no answer more than an instant.
func TestStreamOutlastsDeadlines(t *testing.T) {
	mock, err := mockserver.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	server := httptest.NewUnstartedServer(mock)
	server.Config.WriteTimeout = time.Nanosecond
	server.Start()
	t.Cleanup(func() { mock.Close(); server.Close() })
	next, _ := follow(t, server.URL, "?after=0")
	mock.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "http://localhost/__mock/reset", nil))
	if e, _ := next(); e.entries(t)[0].Summary != "reset" {
		t.Errorf("%+v", e)
	}
}

// TestStreamBegins writes an entry at the very moment at which a client hears of its stream. The client has it
// at once.
func TestStreamBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		client := &flushed{ResponseRecorder: httptest.NewRecorder(), then: []func(){
			func() {
				mock.ServeHTTP(httptest.NewRecorder(),
					httptest.NewRequest(http.MethodPost, "http://localhost/__mock/reset", nil))
			},
			leave,
		}}
		began := time.Now()
		mock.ServeHTTP(client,
			httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/__mock/stream", nil))
		text, took := client.Body.String(), time.Since(began)
		if !strings.Contains(text, `"summary":"reset"`) || took > 0 {
			t.Errorf("after %s, the stream has of what came after its first word: %s", took, text)
		}
	})
}

// flushed is a client that does one thing after another as it is sent something.
type flushed struct {
	*httptest.ResponseRecorder
	then []func()
}

func (f *flushed) Flush() {
	f.then[0]()
	f.then = f.then[1:]
}

// TestStreamKeepsAlive lets an hour pass, in which nothing happens or something all the time.
func TestStreamKeepsAlive(t *testing.T) {
	for _, pause := range []time.Duration{2 * time.Hour, 7 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			mock, err := mockserver.New()
			if err != nil {
				t.Fatal(err)
			}
			defer mock.Close()
			ctx, leave := context.WithTimeout(t.Context(), time.Hour+time.Second)
			defer leave()
			go func() {
				ticks := time.NewTicker(pause)
				for {
					select {
					case <-ticks.C:
						mock.Journal().Control(time.Now(), "something")
					case <-ctx.Done():
						return
					}
				}
			}()
			response := streamOf(t, mock, ctx, "")
			defer response.Body.Close()
			if got := response.Header.Get("X-Accel-Buffering"); got != "no" {
				t.Errorf("X-Accel-Buffering is %q: a proxy keeps events back", got)
			}
			text, _ := io.ReadAll(response.Body)
			if comments := strings.Count(string(text), ": still here\n"); comments != 240 {
				t.Errorf("with an entry every %s it says %d times in an hour that it is there: %.200s", pause, comments,
					text)
			}
		})
	}
}
