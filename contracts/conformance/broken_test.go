package conformance_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/internal/race"
)

// brokenServers are orchestratords that have gone wrong in one way each, which would hurt
// a node, and what has to be said of them.
var brokenServers = map[string]struct {
	breaks func(s *inService) http.Handler
	want   string
}{
	"counts one too many": {answers(func(_ *http.Request, _ int, body object) {
		if count, ok := body["count"].(float64); ok {
			body["count"] = count + 1
		}
	}), "listNodes: 200 body/count: expected the number of nodes"},
	"times in seconds": {answers(eachNode(func(_ int, node object) {
		node["last_heartbeat_ms"] = node["last_heartbeat_ms"].(float64) / 1000
		node["last_heartbeat_ms"] = int64(node["last_heartbeat_ms"].(float64))
	})), "listNodes: time of the last heartbeat: expected milliseconds since 1970"},
	"the next heartbeat as a point in time": {answers(func(_ *http.Request, _ int, body object) {
		if _, ok := body["next_heartbeat_ms"]; ok {
			body["next_heartbeat_ms"] = time.Now().UnixMilli()
		}
	}), "heartbeatNode: 200 body/next_heartbeat_ms: expected 86400000 or less"},
	"the second node without a machine": {answers(eachNode(func(i int, node object) {
		if i == 1 {
			node["machine_id"] = ""
		}
	})), "listNodes: 200 body/nodes/*/machine_id: expected 1 character or more"},
	"lists a node twice": {answers(func(_ *http.Request, _ int, body object) {
		if nodes, ok := body["nodes"].([]any); ok && len(nodes) > 0 {
			body["nodes"] = append(nodes, nodes[0])
			body["count"] = len(nodes) + 1
		}
	}), "listNodes: 200 body/nodes: expected each node once"},
	"refuses a node from elsewhere": {before(func(s *inService, w http.ResponseWriter, _ *http.Request,
		body object,
	) bool {
		node := s.nodes[fmt.Sprint(body["node_id"])]
		if node == nil || node.said["machine_id"] == body["machine_id"] {
			return false
		}
		w.WriteHeader(http.StatusConflict)
		return true
	}), "registerNode: status of a registration from another machine and address: expected 200, got 409"},
	"keeps the old pools": {before(func(s *inService, _ http.ResponseWriter, _ *http.Request, body object) bool {
		if node := s.nodes[fmt.Sprint(body["node_id"])]; node != nil {
			body["pools"] = node.said["pools"]
		}
		return false
	}), "listNodes: pools of a node: expected those that it last registered"},
	"keeps the address of a node on the same machine": {before(func(s *inService, _ http.ResponseWriter,
		_ *http.Request, body object,
	) bool {
		node := s.nodes[fmt.Sprint(body["node_id"])]
		if node != nil && node.said["machine_id"] == body["machine_id"] && body["address"] != nil {
			body["address"] = node.said["address"]
		}
		return false
	}), "listNodes: address of a node: expected what it last registered"},
	"keeps sizes in single precision": {before(func(_ *inService, _ http.ResponseWriter, _ *http.Request,
		body object,
	) bool {
		if capabilities, ok := body["capabilities"].(object); ok && capabilities["ram_total_bytes"] != nil {
			size, most := capabilities["ram_total_bytes"].(float64), float64(1<<53-1)
			capabilities["ram_total_bytes"] = min(float64(float32(size)), most)
		}
		return false
	}), "listNodes: capabilities/ram_total_bytes of a node: expected what it last registered"},
	"composes characters and their accents": {before(func(_ *inService, _ http.ResponseWriter, _ *http.Request,
		body object,
	) bool {
		capabilities, _ := body["capabilities"].(object)
		gpus, _ := capabilities["gpus"].([]any)
		for _, gpu := range gpus {
			gpu := gpu.(object)
			gpu["name"] = strings.ReplaceAll(fmt.Sprint(gpu["name"]), "\u0301", "")
		}
		return false
	}), "listNodes: capabilities/gpus of a node: expected what it last registered"},
	"removes all nodes with one": {before(func(s *inService, _ http.ResponseWriter, r *http.Request, _ object) bool {
		if _, id, _ := strings.Cut(r.URL.Path, "/v2/nodes/"); r.Method == http.MethodDelete && s.nodes[id] != nil {
			maps.DeleteFunc(s.nodes, func(other string, _ *served) bool { return other != id })
		}
		return false
	}), "listNodes: node that is registered and has sent a heartbeat: expected to be listed"},
	"lists who has left": {before(func(s *inService, w http.ResponseWriter, r *http.Request, _ object) bool {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
		}
		return r.Method == http.MethodDelete
	}), "listNodes: node that has left: expected not to be listed"},
	"forgets at the second heartbeat": {before(func(s *inService, _ http.ResponseWriter, r *http.Request,
		_ object,
	) bool {
		id := strings.Split(r.URL.Path+"///", "/")[3]
		if node := s.nodes[id]; node != nil && !node.beaten.IsZero() && strings.HasSuffix(r.URL.Path, "heartbeat") {
			delete(s.nodes, id)
		}
		return false
	}), "heartbeatNode: status of a heartbeat: expected 200, got 404"},
	"keeps the time of the first heartbeat": {func(s *inService) http.Handler {
		first := map[any]any{}
		return answers(eachNode(func(_ int, node object) {
			key := fmt.Sprint(node["node_id"], node["registered_at_ms"])
			if first[key] == nil {
				first[key] = node["last_heartbeat_ms"]
			}
			node["last_heartbeat_ms"] = first[key]
		}))(s)
	}, "listNodes: time of the last heartbeat of a node: expected about"},
	"refuses new fields": {before(func(_ *inService, w http.ResponseWriter, _ *http.Request, body object) bool {
		_, unknown := body["x-unknown"]
		if unknown {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		return unknown
	}), "registerNode: status with /x-unknown: unknown field: expected 200, got 422"},
	"refuses ids with dots": {before(func(_ *inService, w http.ResponseWriter, _ *http.Request, body object) bool {
		dotted := strings.Contains(fmt.Sprint(body["node_id"]), ".")
		if dotted {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		return dotted
	}), "registerNode: status with the id conform-"},
	"takes small bodies alone": {before(func(_ *inService, w http.ResponseWriter, r *http.Request, _ object) bool {
		if r.ContentLength > 300<<10 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
		return r.ContentLength > 300<<10
	}), "registerNode: status with /x-large: body of 1048576 bytes: expected 200, got 413"},
	"takes no name as address": {before(func(_ *inService, w http.ResponseWriter, _ *http.Request, body object) bool {
		named := strings.Contains(fmt.Sprint(body["address"]), "node.example.com")
		if named {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		return named
	}), "registerNode: status with /address: format uri https://node.example.com: expected 200, got 422"},
	"accepts a token with a suffix": {
		tokens(func(given string) bool { return strings.HasPrefix(given, token) }),
		"deregisterNode: status with a token with a character more: expected 401, got 204",
	},
	"accepts any token of the right length": {
		tokens(func(given string) bool { return len(given) == len(token) }),
		"deregisterNode: status with another token of the same length: expected 401, got 204",
	},
	"accepts a token in the other case": {
		tokens(func(given string) bool { return strings.EqualFold(given, token) }),
		"deregisterNode: status with a token in capitals: expected 401, got 204",
	},
	"lists without a token": {before(func(_ *inService, _ http.ResponseWriter, r *http.Request, _ object) bool {
		if r.Method == http.MethodGet {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return false
	}), "listNodes: status with no token: expected 401, got 200"},
	"answers 404 before 401": {before(func(s *inService, w http.ResponseWriter, r *http.Request, _ object) bool {
		id := strings.Split(r.URL.Path+"///", "/")[3]
		unknown := strings.HasSuffix(r.URL.Path, "heartbeat") && s.nodes[id] == nil
		if unknown {
			w.WriteHeader(http.StatusNotFound)
		}
		return unknown
	}), "heartbeatNode: status with no token: expected 401, got 404"},
	"registers what is no JSON": {before(func(_ *inService, w http.ResponseWriter, r *http.Request, body object) bool {
		odd := body == nil && r.Method == http.MethodPost && r.Header.Get("Authorization") == "Bearer "+token
		if odd {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"success": true, "message": "", "node_id": "n", "next_heartbeat_ms": 10000}`)
		}
		return odd
	}), "registerNode: status with a body that is cut off: expected 400, or another refusal"},
	"keeps what it refuses": {before(func(s *inService, _ http.ResponseWriter, _ *http.Request, body object) bool {
		node := s.nodes[fmt.Sprint(body["node_id"])]
		if _, complete := body["machine_id"]; node != nil && !complete {
			delete(s.nodes, fmt.Sprint(body["node_id"]))
		}
		return false
	}), "registerNode: state after a refusal: expected as before, got the node is gone"},
	"registers a node that it refuses": {before(func(s *inService, _ http.ResponseWriter, _ *http.Request,
		body object,
	) bool {
		id, named := body["node_id"].(string)
		if body["machine_id"] == nil && named && s.nodes[id] == nil {
			s.nodes[id] = &served{said: body, registered: time.Now()}
		}
		return false
	}), "heartbeatNode: status of a node whose registration was refused: expected 404, got 200"},
	"takes the address from what it refuses": {before(func(s *inService, _ http.ResponseWriter, _ *http.Request,
		body object,
	) bool {
		if node := s.nodes[fmt.Sprint(body["node_id"])]; node != nil && body["machine_id"] == nil {
			node.said["address"] = body["address"]
		}
		return false
	}), "registerNode: state after a refusal: expected as before, got the node has changed: address"},
	"refuses a correlation id": {before(func(_ *inService, w http.ResponseWriter, r *http.Request, _ object) bool {
		odd := strings.ContainsAny(r.Header.Get("X-Correlation-Id"), " ;")
		if odd {
			w.WriteHeader(http.StatusBadRequest)
		}
		return odd
	}), "registerNode: status with X-Correlation-Id not fit; for this: expected 200, got 400"},
	"is slow to take heartbeats": {before(func(s *inService, _ http.ResponseWriter, r *http.Request, _ object) bool {
		if strings.HasSuffix(r.URL.Path, "heartbeat") {
			s.mu.Unlock()
			time.Sleep(1100 * time.Millisecond)
			s.mu.Lock()
		}
		return false
	}), "heartbeatNode: time at the 99th percentile: expected 1s at most (CLOUD-11002)"},
	"mixes two registrations at once": {func(s *inService) http.Handler {
		var last atomic.Value
		last.Store([]any{})
		return before(func(s *inService, _ http.ResponseWriter, _ *http.Request, body object) bool {
			machine, _ := body["machine_id"].(string)
			if strings.HasPrefix(machine, "machine-") && strings.Count(machine, "-") == 2 {
				body["pools"], _ = last.Swap(body["pools"]).([]any)
				if body["pools"] == nil {
					body["pools"] = []any{}
				}
			}
			return false
		})(s)
	}, "listNodes: order of calls made at once: expected one that explains all answers"},
	"lets a node leave twice at once": {func(s *inService) http.Handler {
		left := map[string]time.Time{}
		return before(func(s *inService, w http.ResponseWriter, r *http.Request, _ object) bool {
			_, id, _ := strings.Cut(r.URL.Path, "/v2/nodes/")
			if s.nodes[id] != nil {
				left[id] = time.Now()
			}
			again := r.Method == http.MethodDelete && s.nodes[id] == nil && time.Since(left[id]) < 2*time.Millisecond
			if again {
				w.WriteHeader(http.StatusNoContent)
			}
			return again
		})(s)
	}, "deregisterNode: order of calls made at once: expected one that explains all answers"},
	"has no more than 16 connections": {func(s *inService) http.Handler {
		var open atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer open.Add(-1)
			if open.Add(1) > 16 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			time.Sleep(time.Millisecond)
			s.ServeHTTP(w, r)
		})
	}, "registerNode: status of one of 50 nodes at once: expected 200, got 503"},
	"gives a node the id of another": {func(s *inService) http.Handler {
		last := any(nil)
		return answers(func(_ *http.Request, _ int, body object) {
			id, _ := body["node_id"].(string)
			if node := s.nodes[id]; node != nil && strings.Count(fmt.Sprint(node.said["machine_id"]), "-") == 2 &&
				strings.HasPrefix(fmt.Sprint(node.said["machine_id"]), "machine-") {
				body["node_id"], last = cmp.Or(last, any(id)), id
			}
		})(s)
	}, "registerNode: 200 body, id of the node: expected"},
	"never marks a node offline": {func(s *inService) http.Handler {
		s.timeout = time.Hour
		return s
	}, "listNodes: status of a node that is silent for longer than the node timeout: expected Offline"},
	"marks a node offline too early": {func(s *inService) http.Handler {
		s.timeout = 500 * time.Millisecond
		return s
	}, "listNodes: status of a node that is silent for less than the node timeout: expected Online"},
	"refuses a node that was offline": {func(s *inService) http.Handler {
		s.timeout = 2 * time.Second
		return before(func(s *inService, w http.ResponseWriter, r *http.Request, body object) bool {
			node := s.nodes[fmt.Sprint(body["node_id"])]
			refused := node != nil && s.silent(node)
			if refused {
				w.WriteHeader(http.StatusConflict)
			}
			return refused
		})(s)
	}, "registerNode: status of a registration: expected 200, got 409"},
	"says more than a node reads": {answers(func(_ *http.Request, _ int, body object) {
		body["padding"] = strings.Repeat("p", 64<<10)
	}), "registerNode: length of the body: expected 65536 bytes at most"},
	"compresses without being asked": {func(s *inService) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			if answer.Body.Len() == 0 {
				w.WriteHeader(answer.Code)
				return
			}
			maps.Copy(w.Header(), answer.Header())
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(answer.Code)
			zip := gzip.NewWriter(w)
			_, _ = io.Copy(zip, answer.Body)
			zip.Close()
		})
	}, `listNodes: header Content-Encoding: expected none, as the call asked for none, got "gzip"`},
}

// TestBrokenServers_heavy shows that each way to hurt a node is found, and that what is found
// first names the culprit.
func TestBrokenServers_heavy(t *testing.T) {
	for name, broken := range shared(t, brokenServers) {
		t.Run(name, func(t *testing.T) {
			o := conformance.Options{Token: token, FirstOnly: true}
			switch {
			case strings.Contains(name, "offline"):
				o.NodeTimeout, o.Only = 2*time.Second, []string{"silence"}
			case strings.Contains(name, "at once"):
				o.Picture = filepath.Join(t.TempDir(), "picture.html")
				defer isPage(t, o.Picture)
			}
			bubble(t, func(t *testing.T) {
				o.URL, o.Dial = memnet.URL, memnet.Serve(t, broken.breaks(newInService(token)))
				report, err := conformance.Run(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range report.Findings {
					if strings.HasPrefix(f.String(), broken.want) {
						return
					}
					t.Errorf("not %q…, but: %s", broken.want, f)
				}
				if report.Conforms() {
					t.Error("nothing was found")
				}
			})
		})
	}
}

// isPage fails unless a file is a page of HTML.
func isPage(t *testing.T, file string) {
	t.Helper()
	if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte("<html")) {
		t.Errorf("no picture of calls that contradict each other: %v, %.80s", err, text)
	}
}

// TestShortestSequence_heavy shows that a failing sequence is left with nothing that it does not
// need, and that it can be replayed.
func TestShortestSequence_heavy(t *testing.T) {
	race.Skip(t)
	o := conformance.Options{URL: memnet.URL, Token: token, Only: []string{"state"}}
	var report *conformance.Report
	bubble(t, func(t *testing.T) {
		o.Dial = memnet.Serve(t, brokenServers["removes all nodes with one"].breaks(newInService(token)))
		var err error
		if report, err = conformance.Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	})
	if len(report.Findings) == 0 {
		t.Fatal("nothing was found")
	}
	var steps []string // without the looks at the list between them
	for _, command := range report.Findings[0].Replay {
		if !strings.Contains(command, "-X GET") {
			steps = append(steps, command)
		}
		if strings.Contains(command, token) || !strings.Contains(command, "$LLORCH_API_TOKEN") {
			t.Errorf("the token is not left to the shell: %s", command)
		}
	}
	if len(steps) != 4 { // two nodes register, one beats, the other leaves
		t.Errorf("%d steps:\n%s", len(steps), strings.Join(steps, "\n"))
	}
}
