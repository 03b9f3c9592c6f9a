package conformance_test

import (
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/internal/race"
)

type object = map[string]any

// inService behaves as the orchestratord in service does, wherever it differs from the
// mock. It is spelled by hand, so that it does not follow the document into a mistake.
type inService struct {
	token   string
	timeout time.Duration
	mux     *http.ServeMux

	mu    sync.Mutex
	nodes map[string]*served
}

type served struct {
	said       object
	registered time.Time
	beaten     time.Time // zero before the first heartbeat after a registration
	offline    bool      // until it registers again
}

func newInService(token string) *inService {
	s := &inService{token: token, timeout: 30 * time.Second, mux: http.NewServeMux(), nodes: map[string]*served{}}
	s.mux.HandleFunc("GET /v2/nodes", s.list)
	s.mux.HandleFunc("POST /v2/nodes/register", s.register)
	s.mux.HandleFunc("POST /v2/nodes/{id}/heartbeat", s.heartbeat)
	s.mux.HandleFunc("DELETE /v2/nodes/{id}", s.deregister)
	return s
}

// inServiceMost is how many bytes a body may have.
const inServiceMost = 2 << 20

// ServeHTTP checks in the order in which that orchestratord does.
func (s *inService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := r.Header.Get("X-Correlation-Id")
	if id == "" {
		id = "made-up"
	}
	w.Header().Set("X-Correlation-Id", id)
	s.mux.ServeHTTP(w, r)
}

func (s *inService) register(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r, "node_id", "machine_id", "address", "pools", "capabilities")
	if !ok {
		return
	}
	capabilities, _ := body["capabilities"].(object)
	ofGPU := []string{"device_id", "name", "vram_total_bytes", "compute_capability"}
	if missing(capabilities, "gpus") || missingIn(capabilities["gpus"], ofGPU...) {
		http.Error(w, "Failed to deserialize the JSON body: missing field `gpus`", http.StatusUnprocessableEntity)
		return
	}
	id, _ := body["node_id"].(string)
	s.nodes[id] = &served{said: body, registered: time.Now()}
	reply(w, http.StatusOK, object{"success": true, "message": "Node registered successfully", "node_id": id})
}

func (s *inService) heartbeat(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r, "timestamp", "pools")
	if !ok {
		return
	}
	if missingIn(body["pools"], "pool_id", "ready", "draining", "slots_free", "slots_total", "vram_free_bytes") {
		http.Error(w, "Failed to deserialize the JSON body: missing field", http.StatusUnprocessableEntity)
		return
	}
	node := s.nodes[r.PathValue("id")]
	if node == nil {
		reply(w, http.StatusNotFound, object{"success": false, "next_heartbeat_ms": 10_000})
		return
	}
	node.offline = node.offline || s.silent(node)
	node.beaten = time.Now()
	reply(w, http.StatusOK, object{"success": true, "next_heartbeat_ms": 10_000})
}

func (s *inService) deregister(w http.ResponseWriter, r *http.Request) {
	if s.nodes[r.PathValue("id")] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	delete(s.nodes, r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

// list has only nodes that are online and fresh, in any order, and of their capabilities
// only what that orchestratord knows.
func (s *inService) list(w http.ResponseWriter, _ *http.Request) {
	nodes := []object{}
	for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
		node := s.nodes[id]
		node.offline = node.offline || s.silent(node)
		if node.offline || node.beaten.IsZero() {
			continue
		}
		capabilities := node.said["capabilities"].(object)
		nodes = append(nodes, object{
			"node_id": id, "machine_id": node.said["machine_id"], "address": node.said["address"],
			"pools": node.said["pools"],
			"capabilities": object{
				"gpus": capabilities["gpus"], "cpu_cores": capabilities["cpu_cores"],
				"ram_total_bytes": capabilities["ram_total_bytes"],
			},
			"status": "Online", "registered_at_ms": node.registered.UnixMilli(),
			"last_heartbeat_ms": node.beaten.UnixMilli(),
			"version":           nil,
		})
	}
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	reply(w, http.StatusOK, object{"nodes": nodes, "count": len(nodes)})
}

func (s *inService) silent(node *served) bool {
	last := node.registered
	if node.beaten.After(last) {
		last = node.beaten
	}
	return time.Since(last) > s.timeout
}

// read reads a body, and refuses what is not JSON with the fields.
func read(w http.ResponseWriter, r *http.Request, fields ...string) (body object, ok bool) {
	text, _ := io.ReadAll(r.Body)
	switch {
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		http.Error(w, "Expected request with `Content-Type: application/json`", http.StatusUnsupportedMediaType)
		return nil, false
	case len(text) > inServiceMost:
		http.Error(w, "length limit exceeded", http.StatusRequestEntityTooLarge)
		return nil, false
	}
	switch err := json.Unmarshal(text, &body); {
	case err != nil:
		http.Error(w, "Failed to parse the request body as JSON: "+err.Error(), http.StatusBadRequest)
	case missing(body, fields...):
		http.Error(w, "Failed to deserialize the JSON body: missing field", http.StatusUnprocessableEntity)
	default:
		return body, true
	}
	return nil, false
}

func missing(value object, fields ...string) bool {
	return slices.ContainsFunc(fields, func(field string) bool { _, there := value[field]; return !there })
}

func missingIn(list any, fields ...string) bool {
	items, ok := list.([]any)
	return !ok || slices.ContainsFunc(items, func(item any) bool {
		value, _ := item.(object)
		return missing(value, fields...)
	})
}

func reply(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// TestInServiceConforms_heavy shows that level nodes asks for no more than nodes need, and that
// the report says how far that is from the document.
func TestInServiceConforms_heavy(t *testing.T) {
	race.Skip(t)
	for name, token := range map[string]string{"with a token": token, "without a token": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				report := conforms(t, newInService(token), conformance.Options{Token: token})
				if len(report.Beyond) == 0 {
					t.Error("it does not differ from the document")
				}
			})
		})
	}
}
