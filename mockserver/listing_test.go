package mockserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// fleet returns as many nodes, in the order of their ids, as they are after a heartbeat just now.
func fleet(t testing.TB, count int) []registry.Node {
	t.Helper()
	var registration nodeapi.RegisterRequest
	if err := json.Unmarshal([]byte(fullRegistration), &registration); err != nil {
		t.Fatal(err)
	}
	nodes := make([]registry.Node, count)
	for i := range nodes {
		registration.NodeID = fmt.Sprintf("node-%06d", i)
		nodes[i] = registry.Node{
			Registration: registration, Status: nodeapi.NodeStatusOnline,
			RegisteredAt: time.Unix(1, 0), LastHeartbeat: time.Unix(2, 0), Heard: time.Now(),
		}
	}
	return nodes
}

// page is how many nodes a listing reads at once.
const page = 64

// TestListing_heavy lists so many nodes that the list is sent in one chunk, or several.
func TestListing_heavy(t *testing.T) {
	race.Skip(t)
	for _, count := range []int{0, 1, page, page + 1, 1000} {
		s := newServer(t)
		s.Load(fleet(t, count))
		got := httptest.NewRecorder()
		s.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
		listNodes := spec.Nodes().Operations[slices.IndexFunc(spec.Nodes().Operations,
			func(o *spec.Operation) bool { return o.ID == "listNodes" })]
		if err := spec.Nodes().CheckAnswer(listNodes, got.Code, got.Header(), got.Body.Bytes()); err != nil {
			t.Errorf("%d nodes: %v", count, err)
		}
		var list nodeapi.NodeList
		if err := json.Unmarshal(got.Body.Bytes(), &list); err != nil || int(list.Count) != count ||
			len(list.Nodes) != count {
			t.Errorf("%d nodes: counted %d, listed %d, %v", count, list.Count, len(list.Nodes), err)
		}
		for i, node := range list.Nodes {
			if want := fmt.Sprintf("node-%06d", i); node.NodeID != want {
				t.Errorf("node %d is %s", i, node.NodeID)
			}
		}
	}
}

// TestListingOfMany_heavy lists many nodes, each once. In service they are in any order. Another server loads them all.
func TestListingOfMany_heavy(t *testing.T) {
	race.Skip(t)
	const count = 5000
	nodes := fleet(t, count)
	for i := range nodes {
		nodes[i].LastHeartbeat = time.Now().Add(time.Hour) // fresh, however long this takes
	}
	for _, dialect := range []mockserver.Dialect{mockserver.Document, mockserver.InService} {
		s := newServer(t, mockserver.WithDialect(dialect))
		s.Load(nodes)
		got := httptest.NewRecorder()
		s.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
		var list nodeapi.NodeList
		err := json.Unmarshal(got.Body.Bytes(), &list)
		listed := map[string]bool{}
		for _, node := range list.Nodes {
			listed[node.NodeID] = true
		}
		if err != nil || list.Count != count || len(list.Nodes) != count || len(listed) != count {
			t.Errorf("%s: counted %d, listed %d, %d of them once, %v",
				dialect, list.Count, len(list.Nodes), len(listed), err)
		}
		other := newServer(t, mockserver.WithDialect(dialect))
		if err := other.LoadNodes(got.Body.Bytes()); err != nil || len(other.Nodes()) != count {
			t.Errorf("%s: loaded %d, %v", dialect, len(other.Nodes()), err)
		}
	}
}

// TestOddNodes has a node that breaks the document register while validation is off. With
// any other validation, too, it is listed as it is, but no more like it are let in.
func TestOddNodes(t *testing.T) {
	s := newServer(t, mockserver.WithValidation(mockserver.Off))
	send := func(method, path, body string, status int) string {
		t.Helper()
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		got := httptest.NewRecorder()
		if s.ServeHTTP(got, r); got.Code != status {
			t.Errorf("%s %s: status %d, want %d: %s", method, path, got.Code, status, got.Body)
		}
		return got.Body.String()
	}
	odd := strings.Replace(fullRegistration, "https:", "nowhere:", 1)
	send("POST", "/v2/nodes/register", odd, http.StatusOK)
	for _, validation := range []mockserver.Validation{mockserver.Strict, mockserver.Report} {
		send("PATCH", "/__mock/settings", fmt.Sprintf(`{"validation": %q}`, validation), http.StatusOK)
		for _, path := range []string{"/v2/nodes", "/__mock/nodes", "/__mock/nodes/gpu-node-1"} {
			if list := send("GET", path, "", http.StatusOK); !strings.Contains(list, `"nowhere://`) {
				t.Errorf("%s with validation %s: %s", path, validation, list)
			}
		}
	}
	send("PATCH", "/__mock/settings", `{"validation": "strict"}`, http.StatusOK)
	send("POST", "/v2/nodes/register", odd, http.StatusUnprocessableEntity)
}

// TestBrokenListing lists nodes when one breaks the document. If that shows before anything is
// sent the answer is a 500, and else the connection is broken off.
func TestBrokenListing(t *testing.T) {
	for _, test := range []struct {
		at      int
		aborted bool
	}{{0, false}, {999, true}} {
		var log bytes.Buffer
		s := newServer(t, mockserver.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		nodes := fleet(t, 1000)
		nodes[test.at].Status = "Asleep"
		s.Load(nodes)
		got, aborted := httptest.NewRecorder(), false
		func() {
			defer func() { aborted = recover() == http.ErrAbortHandler }()
			s.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
		}()
		if aborted != test.aborted || !aborted && got.Code != http.StatusInternalServerError {
			t.Errorf("node %d: status %d, aborted %t", test.at, got.Code, aborted)
		}
		if want := fmt.Sprintf("node-%06d", test.at); !strings.Contains(log.String(), "level=ERROR") ||
			!strings.Contains(log.String(), want) || !strings.Contains(log.String(), "/status") {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
}

// discard is a client that takes note of nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header          { return d.header }
func (discard) WriteHeader(int)                {}
func (discard) Write(text []byte) (int, error) { return len(text), nil }

func BenchmarkListing(b *testing.B) {
	for _, count := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("nodes=%d", count), func(b *testing.B) {
			s := newServer(b)
			s.Load(fleet(b, count))
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(discard{http.Header{}}, httptest.NewRequest(http.MethodGet, "/v2/nodes", nil))
			}
		})
	}
}
