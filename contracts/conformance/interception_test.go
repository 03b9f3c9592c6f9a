package conformance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
)

// answers breaks the bodies of answers.
func answers(change func(r *http.Request, status int, body object)) func(*inService) http.Handler {
	return func(s *inService) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			var body object
			if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &body) != nil {
				w.WriteHeader(answer.Code)
				_, _ = io.Copy(w, answer.Body)
				return
			}
			s.mu.Lock()
			change(r, answer.Code, body)
			s.mu.Unlock()
			reply(w, answer.Code, body)
		})
	}
}

// eachNode breaks the nodes of a list.
func eachNode(change func(i int, node object)) func(*http.Request, int, object) {
	return func(_ *http.Request, _ int, body object) {
		nodes, _ := body["nodes"].([]any)
		for i, node := range nodes {
			change(i, node.(object))
		}
	}
}

// tokens has another way to compare tokens.
func tokens(accepts func(given string) bool) func(*inService) http.Handler {
	return before(func(_ *inService, _ http.ResponseWriter, r *http.Request, _ object) bool {
		if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && accepts(given) {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return false
	})
}

// interception changes a request, or answers it.
type interception func(s *inService, w http.ResponseWriter, r *http.Request, body object) (answered bool)

// before breaks requests, or answers them in its own way.
func before(does interception) func(*inService) http.Handler {
	return func(s *inService) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			var body object
			readable := len(text) <= inServiceMost && json.Unmarshal(text, &body) == nil
			s.mu.Lock()
			answered := does(s, w, r, body)
			s.mu.Unlock()
			if answered {
				return
			}
			if readable {
				text, _ = json.Marshal(body)
			}
			r.Body = io.NopCloser(bytes.NewReader(text))
			s.ServeHTTP(w, r)
		})
	}
}
