package conformance_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// TestAnswersThatLookRight shows that an answer which fits the schema, and says something wrong, is
// found at level document.
func TestAnswersThatLookRight(t *testing.T) {
	for name, test := range map[string]struct {
		breaks func(mock http.Handler) http.Handler
		only   string
		want   string
	}{
		"a refusal names another place": {
			named, "negative",
			"registerNode: 422 body/errors: expected the place that is broken, got /node_id, not /address",
		},
		"calls at once get each other's correlation ids": {
			mixed, "concurrency", "header X-Correlation-Id: expected the one that was sent",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				mock := newMock(t)
				report, err := conformance.Run(t.Context(), conformance.Options{
					URL: memnet.URL, Dial: memnet.Serve(t, test.breaks(mock)), Level: conformance.Document,
					Only: []string{test.only}, FirstOnly: true,
				})
				if said := said(report, err); err != nil || !strings.Contains(said, test.want) {
					t.Errorf("not %q, but: %s", test.want, said)
				}
			})
		})
	}
}

var pointers = regexp.MustCompile(`"pointer":"[^"]*"`)

// named has every refusal name the node's id as the broken place.
func named(mock http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := recorded(mock, r)
		w.WriteHeader(answer.pass(w))
		_, _ = w.Write(pointers.ReplaceAll(answer.Body.Bytes(), []byte(`"pointer":"/node_id"`)))
	})
}

// mixed keeps the correlation id of the last call in a variable that all calls share.
func mixed(mock http.Handler) http.Handler {
	var mu sync.Mutex
	last := ""
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get("X-Correlation-Id"); id != "" {
			mu.Lock()
			last = id
			mu.Unlock()
		}
		time.Sleep(time.Millisecond) // while other calls come
		answer := recorded(mock, r)
		status := answer.pass(w)
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("X-Correlation-Id") != "" {
			w.Header().Set("X-Correlation-Id", last)
		}
		w.WriteHeader(status)
		_, _ = io.Copy(w, answer.Body)
	})
}

// record is an answer on its way.
type record struct{ *httptest.ResponseRecorder }

func recorded(mock http.Handler, r *http.Request) record {
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	answer := record{httptest.NewRecorder()}
	mock.ServeHTTP(answer, r)
	return answer
}

// pass copies the header, and returns the status.
func (a record) pass(w http.ResponseWriter) int {
	maps.Copy(w.Header(), a.Header())
	w.Header().Del("Content-Length")
	return a.Code
}
