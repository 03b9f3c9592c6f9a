package conformance_test

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// foreign is an orchestratord of another make: it shares nothing with the mock, with what
// is in service, or with the checks. Its quirks are what is special about it.
type foreign struct {
	token  string
	quirks quirks

	mu    sync.Mutex
	nodes map[string]*foreignNode
}

type foreignNode struct {
	ID           string          `json:"node_id"`
	Machine      string          `json:"machine_id"`
	Address      string          `json:"address"`
	Pools        []string        `json:"pools"`
	Capabilities json.RawMessage `json:"capabilities"`
	Version      *string         `json:"version"`
	Status       string          `json:"status"`
	Registered   int64           `json:"registered_at_ms"`
	Beaten       *int64          `json:"last_heartbeat_ms"`
}

// quirks change a foreign orchestratord in one place each; those left out change nothing.
type quirks struct {
	accepts   func(r *http.Request, token string) bool
	refuses   func(r *http.Request, body []byte) int // with a status, 0 for not
	known     func(old *foreignNode, fresh *foreignNode) int
	beats     func(f *foreign, id string, at time.Time)
	leaves    func(f *foreign, id string)
	key       func(id string) string // under which a node is kept
	shows     func(nodes []foreignNode) ([]foreignNode, int)
	registers map[string]any // fields of the answer to a registration
	next      any            // next_heartbeat_ms
	offline   time.Duration  // after which silence a node is offline
	media     string
	indent    string
	header    http.Header
	refusal   string // the body of errors
	padding   int
	zipped    bool
	hints     bool // before each answer
	clock     time.Duration
	proxy     func(w http.ResponseWriter, r *http.Request) (answered bool) // before it
}

// foreignMost is how many bytes of a body it reads.
const foreignMost = 2 << 20

func newForeign(token string, q quirks) *foreign {
	return &foreign{token: token, quirks: q, nodes: map[string]*foreignNode{}}
}

func (f *foreign) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, foreignMost+1))
	_, _ = io.Copy(io.Discard, r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Date", f.now().UTC().Format(http.TimeFormat))
	maps.Copy(w.Header(), f.quirks.header)
	if f.quirks.proxy != nil && f.quirks.proxy(w, r) {
		return
	}
	status, answer := f.answer(r, body)
	if f.quirks.hints {
		w.WriteHeader(http.StatusEarlyHints)
	}
	if status/100 != 2 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, f.quirks.refusal)
		return
	}
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	f.write(w, status, answer)
}

// write writes the answer to a call that succeeded.
func (f *foreign) write(w http.ResponseWriter, status int, answer map[string]any) {
	if f.quirks.padding > 0 {
		answer["padding"] = strings.Repeat("x", f.quirks.padding)
	}
	text, _ := json.Marshal(answer)
	if f.quirks.indent != "" {
		text, _ = json.MarshalIndent(answer, "", f.quirks.indent)
	}
	w.Header().Set("Content-Type", cmp.Or(f.quirks.media, "application/json"))
	if f.quirks.zipped {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(status)
		zip := gzip.NewWriter(w)
		_, _ = zip.Write(text)
		_ = zip.Close()
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// answer does what a call asks for.
func (f *foreign) answer(r *http.Request, body []byte) (int, map[string]any) {
	allowed := r.Header.Get("Authorization") == "Bearer "+f.token && len(r.Header["Authorization"]) == 1
	if f.quirks.accepts != nil {
		allowed = f.quirks.accepts(r, f.token)
	}
	if !allowed {
		return http.StatusUnauthorized, nil
	}
	if f.quirks.refuses != nil {
		if status := f.quirks.refuses(r, body); status != 0 {
			return status, nil
		}
	}
	rest, ours := strings.CutPrefix(r.URL.Path, "/v2/nodes")
	id, beat := strings.CutSuffix(strings.TrimPrefix(rest, "/"), "/heartbeat")
	switch {
	case !ours:
		return http.StatusNotFound, nil
	case rest == "" && r.Method == "GET":
		return f.list()
	case rest == "/register" && r.Method == "POST":
		return f.register(body)
	case beat && r.Method == "POST":
		return f.heartbeat(f.key(id), body)
	case id != "" && r.Method == "DELETE":
		return f.deregister(f.key(id))
	}
	return http.StatusMethodNotAllowed, nil
}

func (f *foreign) now() time.Time { return time.Now().Add(f.quirks.clock) }

func (f *foreign) key(id string) string {
	if f.quirks.key == nil {
		return id
	}
	return f.quirks.key(id)
}

// understood decodes a body. It returns the status that refuses one, or 0.
func understood(body []byte, into any) (status int) {
	if len(body) > foreignMost {
		return http.StatusBadRequest // what was read of it has no end
	}
	err := json.Unmarshal(body, into)
	if _, malformed := errors.AsType[*json.SyntaxError](err); malformed {
		return http.StatusBadRequest
	}
	if err != nil {
		return http.StatusUnprocessableEntity
	}
	return 0
}

func (f *foreign) register(body []byte) (int, map[string]any) {
	fresh := &foreignNode{Status: "Registering", Registered: f.now().UnixMilli()}
	if status := understood(body, fresh); status != 0 {
		return status, nil
	}
	if fresh.ID == "" || fresh.Machine == "" || fresh.Address == "" || fresh.Pools == nil || fresh.Capabilities == nil {
		return http.StatusUnprocessableEntity, nil
	}
	fresh.Status, fresh.Beaten = "Registering", nil
	key := f.key(fresh.ID)
	if old := f.nodes[key]; old != nil && f.quirks.known != nil {
		if status := f.quirks.known(old, fresh); status != 0 {
			return status, nil
		}
	}
	f.nodes[key] = fresh
	answer := map[string]any{"success": true, "message": "welcome", "node_id": fresh.ID}
	maps.Copy(answer, f.quirks.registers)
	return http.StatusOK, answer
}

func (f *foreign) heartbeat(id string, body []byte) (int, map[string]any) {
	var beat struct {
		Timestamp *string
		Pools     *[]struct{ Draining bool }
	}
	if status := understood(body, &beat); status != 0 {
		return status, nil
	}
	if beat.Timestamp == nil || beat.Pools == nil {
		return http.StatusUnprocessableEntity, nil
	}
	node := f.nodes[id]
	if node == nil {
		return http.StatusNotFound, nil
	}
	if f.quirks.beats != nil {
		f.quirks.beats(f, id, f.now())
	} else {
		at := f.now().UnixMilli()
		node.Status, node.Beaten = "Online", &at
		draining := func(pool struct{ Draining bool }) bool { return !pool.Draining }
		if len(*beat.Pools) > 0 && !slices.ContainsFunc(*beat.Pools, draining) {
			node.Status = "Draining"
		}
	}
	next := any(10_000)
	if f.quirks.next != nil {
		next = f.quirks.next
	}
	return http.StatusOK, map[string]any{"success": true, "next_heartbeat_ms": next}
}

func (f *foreign) deregister(id string) (int, map[string]any) {
	if f.nodes[id] == nil {
		return http.StatusNotFound, nil
	}
	if f.quirks.leaves != nil {
		f.quirks.leaves(f, id)
	} else {
		delete(f.nodes, id)
	}
	return http.StatusNoContent, nil
}

func (f *foreign) list() (int, map[string]any) {
	timeout := cmp.Or(f.quirks.offline, 30*time.Second).Milliseconds()
	nodes := []foreignNode{}
	for _, node := range f.nodes {
		shown := *node
		last := shown.Registered
		if shown.Beaten != nil {
			last = *shown.Beaten
		}
		if f.now().UnixMilli()-last > timeout {
			shown.Status = "Offline"
		}
		nodes = append(nodes, shown)
	}
	slices.SortFunc(nodes, func(a, b foreignNode) int { return cmp.Compare(a.ID, b.ID) })
	count := len(nodes)
	if f.quirks.shows != nil {
		nodes, count = f.quirks.shows(nodes)
	}
	return http.StatusOK, map[string]any{"nodes": nodes, "count": count}
}
