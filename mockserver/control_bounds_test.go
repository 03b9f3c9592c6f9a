package mockserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// largestEntry is more than the JSON of any entry takes.
const largestEntry = 256 << 10

// crowd fills a journal with entries whose JSON is as long as it gets.
func crowd(server interface{ Journal() *journal.Journal }, n int) {
	body := []byte(strings.Repeat("\x01", 1<<16)) // six bytes each as JSON
	for range n {
		server.Journal().Exchange(journal.Exchange{
			At: time.UnixMilli(startMs), Operation: control.OperationHeartbeatNode, Node: "gpu-node-1", Status: 200,
			RequestBody: body, AnswerBody: body,
		})
	}
}

// TestJournalPagesAreBounded_heavy reads a journal that is larger than a page may be: its newest
// entries, and from the beginning to the end, page by page.
func TestJournalPagesAreBounded_heavy(t *testing.T) {
	race.Skip(t)
	client, server := start(t)
	const entries = 100
	crowd(server, entries)
	read := func(query string) control.JournalPage {
		var page control.JournalPage
		text := client.do("GET", "/__mock/journal?limit=1000"+query, "").expect(t, http.StatusOK).text
		if len(text) > 1<<20+largestEntry {
			t.Errorf("a page has %d bytes", len(text))
		}
		decode(t, text, &page)
		if len(page.Entries) == 0 {
			t.Fatal("an empty page")
		}
		return page
	}
	newest := read("")
	if last := newest.Entries[len(newest.Entries)-1]; last.Sequence != entries || newest.Truncated == nil {
		t.Errorf("the newest page ends with entry %d, truncated %v", last.Sequence, newest.Truncated)
	}
	seen := int64(0)
	for seen < entries {
		for _, entry := range read(fmt.Sprint("&after=", seen)).Entries {
			if seen++; entry.Sequence != seen {
				t.Fatalf("entry %d follows %d", entry.Sequence, seen-1)
			}
		}
	}
}

// TestNodePagesAreBounded_heavy has nodes with many pools.
func TestNodePagesAreBounded_heavy(t *testing.T) {
	race.Skip(t)
	client, _ := start(t, mockserver.WithLogger(nil), mockserver.WithValidation(mockserver.Report))
	pools := make([]nodeapi.PoolStatus, 256)
	for i := range pools {
		pools[i].PoolID = fmt.Sprintf("pool-%d%s", i, strings.Repeat("x", 100))
		pools[i].SlotsTotal = new(int32(4))
	}
	beat, err := json.Marshal(nodeapi.HeartbeatRequest{Timestamp: time.UnixMilli(startMs), Pools: pools})
	if err != nil {
		t.Fatal(err)
	}
	const nodes = 40
	for i := range nodes {
		id := fmt.Sprintf("gpu-node-%02d", i)
		registration := strings.Replace(rustRegistration, "gpu-node-1", id, 1)
		client.do("POST", "/v2/nodes/register", registration, "Content-Type", "application/json").expect(t,
			http.StatusOK)
		client.do("POST", "/v2/nodes/"+id+"/heartbeat", string(beat), "Content-Type", "application/json").expect(t,
			http.StatusOK)
	}
	seen, pages, after := 0, 0, ""
	for {
		var page control.NodePage
		text := client.do("GET", "/__mock/nodes?limit=1000"+after, "").expect(t, http.StatusOK).text
		if len(text) > 1<<20+len(beat)*2 {
			t.Errorf("a page has %d bytes", len(text))
		}
		decode(t, text, &page)
		seen += len(page.Nodes)
		pages++
		if page.Next == nil {
			break
		}
		after = "&after=" + *page.Next
	}
	if seen != nodes || pages < 2 {
		t.Errorf("%d nodes in %d pages", seen, pages)
	}
}

// streamOf opens a stream of a server in memory. A client that does not read it holds up
// the server at once.
func streamOf(t *testing.T, server http.Handler, ctx context.Context, query string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/__mock/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := mocktest.Transport(server).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// TestEventsAreBounded follows a journal that is larger than an event may be.
func TestEventsAreBounded(t *testing.T) {
	_, server := start(t)
	const entries = 50
	crowd(server, entries)
	next, _ := follow(t, server.URL, "?after=0")
	for seen := int64(0); seen < entries; {
		e, _ := next()
		if len(e.data) > 1<<20+largestEntry {
			t.Errorf("an event has %d bytes", len(e.data))
		}
		for _, entry := range e.entries(t) {
			if seen++; entry.Sequence != seen {
				t.Fatalf("entry %d follows %d", entry.Sequence, seen-1)
			}
		}
	}
}

// TestReadersThatDoNotRead_heavy has streams wait for clients that ask for everything and read
// nothing of it.
func TestReadersThatDoNotRead_heavy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		crowd(server, race.Share(t, journal.DefaultSize, 100))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		before := heap()
		const readers = 40
		for range readers {
			defer streamOf(t, server, ctx, "?after=0").Body.Close()
		}
		synctest.Wait()
		if taken := heap() - before; taken > readers*2*largestEntry {
			t.Errorf("%d streams take %d bytes", readers, taken)
		}
	})
}

// TestAsManyFaultsAsThereMayBe switches all of them on. The overview has their names.
func TestAsManyFaultsAsThereMayBe(t *testing.T) {
	server := mocktest.InMemory(t, mockserver.WithLogger(nil))
	refused := error(nil)
	for n := 0; refused == nil; n++ {
		if n == 1000 {
			t.Fatalf("%d faults are taken, and there is no end of them", n)
		}
		rule := control.FaultRule{Effect: control.FaultEffect{RetryAfterS: new(int32(1))}}
		fault := control.FaultDefinition{Rules: control.FaultRules{rule}}
		_, refused = server.Faults().Put(fmt.Sprint("fault-", n), fault)
	}
	all := server.Faults().List()
	for _, fault := range all {
		server.Faults().Switch(fault.Name, true)
	}
	got := must(server.Control().GetOverviewWithResponse(t.Context()))
	if got.JSON200 == nil || len(got.JSON200.Faults) != len(all) {
		t.Errorf("with %d faults, the overview is %s", len(all), got.Body)
	}
}

// TestStreamLimit opens as many streams as there may be, and one more when one has ended.
func TestStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		first, end := context.WithCancel(ctx)
		for i := range 256 {
			ctx := ctx
			if i == 0 {
				ctx = first
			}
			if response := streamOf(t, mock, ctx, ""); response.StatusCode != http.StatusOK {
				t.Fatalf("stream %d: status %d", i+1, response.StatusCode)
			}
		}
		refused := streamOf(t, mock, ctx, "")
		text, _ := io.ReadAll(refused.Body)
		if refused.StatusCode != http.StatusTooManyRequests || refused.Header.Get("Retry-After") != "15" {
			t.Errorf("one too many: status %d, %v, %s", refused.StatusCode, refused.Header, text)
		}
		end()
		synctest.Wait()
		if response := streamOf(t, mock, ctx, ""); response.StatusCode != http.StatusOK {
			t.Errorf("when one has ended: status %d", response.StatusCode)
		}
	})
}

// TestClockEnds puts the clock forward until its documents can say no more, and lets it run
// on from there.
func TestClockEnds(t *testing.T) {
	const lastMs = 253_402_300_799_999 // of the year 9999
	still := clock.PausedAt(time.UnixMilli(lastMs - 1000))
	client, server := start(t, mockserver.WithClock(still))
	advance := func(ms int) answer {
		return client.do("POST", "/__mock/clock/advance", fmt.Sprintf(`{"by_ms":%d}`, ms), "Content-Type",
			"application/json")
	}
	refused := advance(1001).expect(t, http.StatusUnprocessableEntity).problem(t)
	if !strings.Contains(refused.Detail, "/by_ms") || !strings.Contains(refused.Detail, "9999-12-31T23:59:59Z") {
		t.Errorf("it is refused with %q", refused.Detail)
	}
	if err := server.Clock().Advance(1001 * time.Millisecond); err == nil {
		t.Error("a test can put it beyond its end")
	}
	if noted := summaries(server, journal.Filter{}); noted != nil {
		t.Errorf("the journal says that it was put forward: %q", noted)
	}
	advance(1000).expect(t, http.StatusOK)
	client.do("PATCH", "/__mock/clock", `{"running":true,"speed":10000}`, "Content-Type", "application/json").expect(t,
		http.StatusOK)
	client.register(briefRegistration).expect(t, http.StatusOK)
	client.do("GET", "/__mock/nodes", "").expect(t, http.StatusOK)
	var state control.Clock
	decode(t, client.do("GET", "/__mock/clock", "").expect(t, http.StatusOK).text, &state)
	if state.NowMs != lastMs {
		t.Errorf("the clock shows %d", state.NowMs)
	}
}
