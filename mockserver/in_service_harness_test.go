package mockserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
)

// service is a mock that behaves as the orchestratord in service.
type service struct {
	*mockserver.Server
	t     *testing.T
	url   string
	clock *clock.Clock
}

func inService(t *testing.T, options ...mockserver.Option) *service {
	t.Helper()
	s := &service{t: t, clock: clock.PausedAt(time.UnixMilli(1_700_000_000_000))}
	s.serve(append(options, mockserver.WithDialect(mockserver.InService), mockserver.WithClock(s.clock),
		mockserver.WithHeartbeatInterval(5*time.Second))...) // which no answer shows
	return s
}

func (s *service) serve(options ...mockserver.Option) {
	s.t.Helper()
	var err error
	if s.Server, err = mockserver.New(options...); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.Close)
	listener := httptest.NewServer(s.Server)
	s.t.Cleanup(listener.Close)
	s.url = listener.URL
}

// answered is an answer with its body.
type answered struct {
	*http.Response
	text string
}

// call makes a call with headers, such as "Authorization: Bearer x".
func (s *service) call(method, path, body string, headers ...string) answered {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answered{response, string(text)}
}

// must makes a call that has to have a status.
func (s *service) must(status int, method, path, body string) answered {
	s.t.Helper()
	got := s.call(method, path, body)
	if got.StatusCode != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, got.StatusCode, got.text, status)
	}
	return got
}

func (s *service) register() {
	s.t.Helper()
	s.must(200, "POST", "/v2/nodes/register", rustRegistration)
}

func (s *service) beat() {
	s.t.Helper()
	s.must(200, "POST", "/v2/nodes/gpu-node-1/heartbeat", rustHeartbeat)
}

func (s *service) pass(d time.Duration) {
	s.t.Helper()
	if err := s.clock.Advance(d); err != nil {
		s.t.Fatal(err)
	}
}

// listed returns the ids of the nodes that are listed.
func (s *service) listed() []string {
	s.t.Helper()
	var list struct {
		Nodes []struct {
			NodeID string `json:"node_id"`
		}
		Count int
	}
	if err := json.Unmarshal([]byte(s.must(200, "GET", "/v2/nodes", "").text), &list); err != nil {
		s.t.Fatal(err)
	}
	ids := []string{}
	for _, node := range list.Nodes {
		ids = append(ids, node.NodeID)
	}
	if slices.Sort(ids); list.Count != len(ids) {
		s.t.Errorf("%d nodes are listed, and counted as %d", len(ids), list.Count)
	}
	return ids
}

func (s *service) wantListed(when string, want ...string) {
	s.t.Helper()
	if got := s.listed(); !slices.Equal(got, append([]string{}, want...)) {
		s.t.Errorf("%s: listed are %q, want %q", when, got, want)
	}
}

// sameJSON reports whether two texts are the same JSON.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var values [2]any
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Fatalf("%s is not JSON: %v", text, err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}
