package registration_test

import (
	"bytes"
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// service is an orchestratord: the mock without a network, in one of its dialects.
type service struct {
	t       *testing.T
	options []mockserver.Option
	asks    func() int64 // for a heartbeat every so many milliseconds

	mu    sync.Mutex
	mock  *mockserver.Server
	owner map[string]*life // who registered last under an id
}

func newService(t *testing.T, dialect mockserver.Dialect, timeout time.Duration, asks func() int64) *service {
	s := &service{t: t, asks: asks, options: []mockserver.Option{
		mockserver.WithDialect(dialect), mockserver.WithJournal(0),
		mockserver.WithNodeTimeout(cmp.Or(timeout, mockserver.DefaultNodeTimeout)),
		mockserver.WithLogger(slog.New(slog.DiscardHandler)),
	}}
	s.begin()
	t.Cleanup(func() { s.mock.Close() })
	return s
}

func (s *service) begin() {
	mock, err := mockserver.New(s.options...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mock, s.owner = mock, map[string]*life{}
}

// forget begins again with an empty registry.
func (s *service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mock.Close()
	s.begin()
}

// step puts the clock on the wall. Nodes are Offline after a step back, as in service: the clock of the
// mock never runs backwards.
func (s *service) step(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if by >= 0 {
		if err := s.mock.Clock().Advance(by); err != nil {
			s.t.Error(err)
		}
		return
	}
	for _, node := range s.mock.Nodes() {
		path := s.mock.ControlPath() + "/nodes/" + node.Registration.NodeID + "/status"
		if got := s.call(http.MethodPut, path, []byte(`{"status":"Offline"}`)); got.Code != http.StatusOK {
			s.t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

// handle answers a request of a node, and turns away a machine that has taken the name of another one.
func (s *service) handle(l *life, r *http.Request, op, id string, body []byte) (status int, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op == "register" && l.node.rival {
		return http.StatusOK, `{"success":false,"message":"the name is taken","node_id":"` + id + `"}`
	}
	got := s.call(r.Method, r.URL.Path, body)
	if op == "register" && got.Code == http.StatusOK {
		s.owner[id] = l
	}
	return got.Code, strings.Replace(got.Body.String(), `"next_heartbeat_ms":10000`,
		`"next_heartbeat_ms":`+number(s.asks()), 1)
}

func (s *service) call(method, path string, body []byte) *httptest.ResponseRecorder {
	request, err := http.NewRequest(method, "http://127.0.0.1"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	s.mock.ServeHTTP(answer, request)
	return answer
}

// number writes a number as JSON allows, and as some servers do.
func number(n int64) string {
	switch {
	case n == 1<<40:
		return "9223372036854775808"
	case n%1000 != 0:
		return fmt.Sprintf("%d.0", n)
	case n == 5000:
		return "5e3"
	}
	return fmt.Sprint(n)
}

// lists reports whether a node may be given work.
func (s *service) lists(id string) (owner *life, listed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	node, known := s.mock.Node(id)
	return s.owner[id], known && takesPart(node)
}

func takesPart(node registry.Node) bool {
	return node.Status == nodeapi.NodeStatusOnline || node.Status == nodeapi.NodeStatusDraining
}
