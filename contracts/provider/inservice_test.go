//go:build pact

package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type object = map[string]any

// inService behaves as the orchestratord in service does, wherever it differs from
// the mock: the bodies of its errors, what it insists on, and whom it lists. It is
// spelled by hand, so that it does not follow the document into a mistake.
type inService struct {
	token   string
	profile bool

	mu    sync.Mutex
	nodes map[string]*servedNode
}

type servedNode struct {
	told       object
	registered time.Time
	beaten     time.Time // zero before the first heartbeat after a registration
	offline    bool      // until it registers again
}

const servedTimeout = 30 * time.Second

func newInService(token string, profile bool) *inService {
	return &inService{token: token, profile: profile, nodes: map[string]*servedNode{}}
}

// ServeHTTP checks in the order in which that orchestratord does.
func (s *inService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-Correlation-Id", "made-up")
	s.markOffline()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/nodes", s.serving(s.list))
	mux.HandleFunc("POST /v2/nodes/register", withBody(registerSchema, s.serving(s.register)))
	mux.HandleFunc("POST /v2/nodes/{id}/heartbeat", withBody(heartbeatSchema, s.serving(s.heartbeat)))
	mux.HandleFunc("DELETE /v2/nodes/{id}", s.serving(s.deregister))
	mux.ServeHTTP(w, r)
}

// handler answers a request whose body, if it has one, is as it should be.
type handler func(w http.ResponseWriter, r *http.Request, body object)

// withBody refuses what is not JSON of the schema.
func withBody(schema func(object) error, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var body object
		err := json.Unmarshal(text, &body)
		switch {
		case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
			http.Error(w, "Expected request with `Content-Type: application/json`", http.StatusUnsupportedMediaType)
		case err != nil:
			http.Error(w, "Failed to parse the request body as JSON: "+err.Error(), http.StatusBadRequest)
		case schema(body) != nil:
			http.Error(w, "Failed to deserialize the JSON body: "+schema(body).Error(), http.StatusUnprocessableEntity)
		case len(text) > 2<<20:
			http.Error(w, "length limit exceeded", http.StatusRequestEntityTooLarge)
		default:
			r.Body = io.NopCloser(strings.NewReader(string(text)))
			next(w, r)
		}
	}
}

// serving answers 503 while the profile is off.
func (s *inService) serving(next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.profile {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var body object
		_ = json.NewDecoder(r.Body).Decode(&body)
		next(w, r, body)
	}
}

func (s *inService) register(w http.ResponseWriter, _ *http.Request, body object) {
	id := body["node_id"].(string)
	s.nodes[id] = &servedNode{told: body, registered: time.Now()}
	answer(w, http.StatusOK, object{"success": true, "message": "Node registered successfully", "node_id": id})
}

func (s *inService) heartbeat(w http.ResponseWriter, r *http.Request, _ object) {
	node := s.nodes[r.PathValue("id")]
	if node == nil {
		answer(w, http.StatusNotFound, object{"success": false, "next_heartbeat_ms": 10_000})
		return
	}
	node.beaten = time.Now()
	answer(w, http.StatusOK, object{"success": true, "next_heartbeat_ms": 10_000})
}

func (s *inService) deregister(w http.ResponseWriter, r *http.Request, _ object) {
	id := r.PathValue("id")
	if s.nodes[id] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	delete(s.nodes, id)
	w.WriteHeader(http.StatusNoContent)
}

// list has only nodes that are online and fresh, and of their capabilities only what
// that orchestratord knows.
func (s *inService) list(w http.ResponseWriter, _ *http.Request, _ object) {
	nodes := []object{}
	for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
		node := s.nodes[id]
		if node.offline || node.beaten.IsZero() {
			continue
		}
		capabilities := node.told["capabilities"].(object)
		nodes = append(nodes, object{
			"node_id":    id,
			"machine_id": node.told["machine_id"],
			"address":    node.told["address"],
			"pools":      node.told["pools"],
			"capabilities": object{
				"gpus":            capabilities["gpus"],
				"cpu_cores":       capabilities["cpu_cores"],
				"ram_total_bytes": capabilities["ram_total_bytes"],
			},
			"status":            "Online",
			"registered_at_ms":  node.registered.UnixMilli(),
			"last_heartbeat_ms": node.beaten.UnixMilli(),
			"version":           node.told["version"],
		})
	}
	answer(w, http.StatusOK, object{"nodes": nodes, "count": len(nodes)})
}

func (s *inService) markOffline() {
	for _, node := range s.nodes {
		last := node.registered
		if node.beaten.After(last) {
			last = node.beaten
		}
		node.offline = node.offline || time.Since(last) > servedTimeout
	}
}

func registerSchema(body object) error {
	if err := require(body, "node_id", "machine_id", "address", "pools", "capabilities"); err != nil {
		return err
	}
	capabilities, _ := body["capabilities"].(object)
	if err := require(capabilities, "gpus"); err != nil {
		return err
	}
	return requireEach(capabilities["gpus"], "device_id", "name", "vram_total_bytes", "compute_capability")
}

func heartbeatSchema(body object) error {
	if err := require(body, "timestamp", "pools"); err != nil {
		return err
	}
	return requireEach(body["pools"], "pool_id", "ready", "draining", "slots_free", "slots_total", "vram_free_bytes")
}

func requireEach(list any, fields ...string) error {
	items, ok := list.([]any)
	if !ok {
		return errors.New("invalid type: expected a sequence")
	}
	for _, item := range items {
		value, _ := item.(object)
		if err := require(value, fields...); err != nil {
			return err
		}
	}
	return nil
}

func require(value object, fields ...string) error {
	for _, field := range fields {
		if _, there := value[field]; !there {
			return fmt.Errorf("missing field `%s`", field)
		}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// What it is a fixture for: that it is not like the mock.
func TestInServiceIsNotLikeTheMock(t *testing.T) {
	const (
		valid   = `{"node_id": "n", "machine_id": "m", "address": "http://a", "pools": [], "capabilities": {"gpus": []}}`
		without = `{"node_id": "n", "machine_id": "m", "address": "http://a", "pools": [], "capabilities": {"gpu_count": 0}}`
		beat    = `{"timestamp": "now", "pools": []}`
		brief   = `{"timestamp": "now", "pools": [{"pool_id": "p", "ready": true, "slots_free": 1}]}`
	)
	s := newInService(token, true)
	for _, step := range []struct {
		name, method, path string
		contentType        string // of the request, or what is special about it
		body               string
		status             int
		answerType, answer string
	}{
		{"nothing is said of a wrong token", "GET", "/v2/nodes", "wrong token", "", 401, "", ""},
		{"not JSON", "POST", "/v2/nodes/register", "application/json", "}", 400, "text/plain; charset=utf-8", "Failed to parse"},
		{"another type", "POST", "/v2/nodes/register", "text/plain", valid, 415, "text/plain; charset=utf-8", "Expected request"},
		{"no list of GPUs", "POST", "/v2/nodes/register", "application/json", without, 422, "text/plain; charset=utf-8", "missing field `gpus`"},
		{"a brief pool", "POST", "/v2/nodes/n/heartbeat", "application/json", brief, 422, "text/plain; charset=utf-8", "missing field `draining`"},
		{"an unknown node", "POST", "/v2/nodes/n/heartbeat", "application/json", beat, 404, "application/json", `{"next_heartbeat_ms":10000,"success":false}`},
		{"an unknown node leaves", "DELETE", "/v2/nodes/n", "", "", 404, "", ""},
		{"a node registers", "POST", "/v2/nodes/register", "application/json", valid, 200, "application/json", `"success":true`},
		{"and is not listed", "GET", "/v2/nodes", "", "", 200, "application/json", `{"count":0`},
		{"until it has beaten", "POST", "/v2/nodes/n/heartbeat", "application/json", beat, 200, "application/json", `"success":true`},
		{"but then it is", "GET", "/v2/nodes", "", "", 200, "application/json", `{"count":1`},
		{"after a long silence", "GET", "/v2/nodes", "silence", "", 200, "application/json", `{"count":0`},
		{"a heartbeat is taken", "POST", "/v2/nodes/n/heartbeat", "application/json", beat, 200, "application/json", `"success":true`},
		{"and does not help", "GET", "/v2/nodes", "", "", 200, "application/json", `{"count":0`},
	} {
		request := httptest.NewRequest(step.method, step.path, strings.NewReader(step.body))
		request.Header.Set("Authorization", "Bearer "+token)
		switch step.contentType {
		case "wrong token":
			request.Header.Set("Authorization", "Bearer wrong")
		case "silence":
			s.nodes["n"].registered, s.nodes["n"].beaten = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
		default:
			request.Header.Set("Content-Type", step.contentType)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request)
		if w.Code != step.status || w.Header().Get("Content-Type") != step.answerType || !strings.Contains(w.Body.String(), step.answer) || step.answer == "" && w.Body.Len() > 0 {
			t.Errorf("%s: %d %q %s", step.name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}
