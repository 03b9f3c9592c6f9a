package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// sabotage breaks one thing about an orchestratord.
type sabotage struct {
	name    string
	level   Level               // at which it has to be noticed
	culprit string              // what a finding of it has to name
	request func(x *exchange)   // before the call is made; it may answer it
	answer  func(x *exchange)   // after the call is made
	options func(o *Options)    // what it takes to notice it
	mock    []mockserver.Option // of a mock that is broken
}

// exchange is a call and its answer, on their way through a saboteur.
type exchange struct {
	doc      *document
	op       *operation // nil for no call of the document
	r        *http.Request
	node     string // that the call is about
	sent     any    // the request's body
	came     []byte // the same, as it came
	answered bool
	status   int
	header   http.Header
	body     any // the answer's body, nil when it is no JSON
	text     []byte
	mock     http.Handler
	memory   map[string]any // what the saboteur remembers
	delay    time.Duration  // of the answer
	cut      bool           // whether the connection is closed without an answer
	raw      string         // what is written instead of an answer; empty for nothing
}

// reply answers a call instead of the mock.
func (x *exchange) reply(status int) { x.answered, x.status = true, status }

// saboteur stands between the checks and the mock.
func saboteur(doc *document, mock http.Handler, s sabotage) http.Handler {
	var mu sync.Mutex
	memory := map[string]any{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{
			doc: doc, op: doc.route(r.Method, r.URL.Path), r: r, header: http.Header{}, mock: mock,
			memory: memory,
		}
		text, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(text, &x.sent)
		x.came = text
		x.node = x.about()
		if s.request != nil {
			mu.Lock()
			s.request(x)
			mu.Unlock()
		}
		if !x.answered {
			if s.request != nil && x.sent != nil {
				text = encode(x.sent)
			}
			x.pass(text)
		}
		if s.answer != nil {
			_ = json.Unmarshal(x.text, &x.body)
			mu.Lock()
			s.answer(x)
			mu.Unlock()
		}
		time.Sleep(x.delay)
		x.write(w, s)
	})
}

// about returns which node a call is about.
func (x *exchange) about() string {
	if x.op == nil {
		return ""
	}
	if object, ok := x.sent.(map[string]any); ok && x.op.id == opRegister {
		id, _ := object[x.doc.idField()].(string)
		return id
	}
	if x.op.parameter == "" {
		return ""
	}
	rest := x.r.URL.Path[len(x.op.path[:bytes.IndexByte([]byte(x.op.path), '{')]):]
	if at := bytes.IndexByte([]byte(rest), '/'); at >= 0 {
		return rest[:at]
	}
	return rest
}

// pass has the mock answer.
func (x *exchange) pass(text []byte) {
	answer := httptest.NewRecorder()
	r := x.r.Clone(x.r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	x.mock.ServeHTTP(answer, r)
	x.status, x.header, x.text = answer.Code, answer.Header(), answer.Body.Bytes()
}

func (x *exchange) write(w http.ResponseWriter, s sabotage) {
	if x.cut {
		panic(http.ErrAbortHandler)
	}
	if x.raw != "" {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, x.raw)
			conn.Close()
		}
		return
	}
	maps.Copy(w.Header(), x.header)
	w.Header().Del("Content-Length")
	w.WriteHeader(x.status)
	text := x.text
	if x.body != nil && s.answer != nil {
		text = encode(x.body)
	}
	_, _ = w.Write(text)
}

// succeeded reports whether an operation of an id was called with success.
func (x *exchange) succeeded(id string) bool {
	return x.op != nil && x.op.id == id && x.status == x.op.success()
}

// own returns the answer to another call that the saboteur makes.
func (x *exchange) own(op, node string, body any) *httptest.ResponseRecorder {
	spec := x.doc.operation(op)
	r := httptest.NewRequestWithContext(x.r.Context(), spec.method, spec.target(node), bytes.NewReader(encode(body)))
	r.Header.Set("Authorization", "Bearer "+strengthToken)
	if spec.media != "" {
		r.Header.Set("Content-Type", spec.media)
	}
	answer := httptest.NewRecorder()
	x.mock.ServeHTTP(answer, r)
	return answer
}

// put puts a value in a place of a body, in the last item of each list. It does nothing
// where the place does not exist.
func put(body any, at pointer, value any) any {
	if len(at) == 0 {
		return value
	}
	switch step := at[0].(type) {
	case string:
		object, ok := body.(map[string]any)
		if !ok {
			return body
		}
		if _, there := object[step]; !there && len(at) > 1 {
			return body
		}
		object[step] = put(object[step], at[1:], value)
		if object[step] == any(absent{}) {
			delete(object, step)
		}
	case int:
		items, ok := body.([]any)
		if !ok || len(items) == 0 {
			return body
		}
		items[len(items)-1] = put(items[len(items)-1], at[1:], value)
	}
	return body
}

// get returns what is in a place of a body, nil when there is nothing.
func get(body any, at pointer) any {
	for _, step := range at {
		switch step := step.(type) {
		case string:
			object, _ := body.(map[string]any)
			body = object[step]
		case int:
			items, _ := body.([]any)
			if len(items) == 0 {
				return nil
			}
			body = items[len(items)-1]
		}
	}
	return body
}
