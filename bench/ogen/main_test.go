package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOgen makes sure that the server does its work, so that it is a fair peer.
func TestOgen(t *testing.T) {
	handler, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	const registration = `{"node_id":"n","machine_id":"m","address":"http://n:9200","pools":[],
		"capabilities":{"gpu_count":1,"total_vram_mb":1,"cuda_version":""}}`
	const heartbeat = `{"timestamp":"2025-10-01T00:00:00Z","pools":[]}`
	for _, step := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v2/nodes/n/heartbeat", heartbeat, http.StatusNotFound},
		{"POST", "/v2/nodes/register", registration, http.StatusOK},
		{"POST", "/v2/nodes/n/heartbeat", heartbeat, http.StatusOK},
		{"POST", "/v2/nodes/n/heartbeat", `{"pools":[]}`, http.StatusBadRequest},
		{"DELETE", "/v2/nodes/n", "", http.StatusNoContent},
		{"POST", "/v2/nodes/n/heartbeat", heartbeat, http.StatusNotFound},
	} {
		r := httptest.NewRequest(step.method, step.path, strings.NewReader(step.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != step.status {
			t.Errorf("%s %s %s: status %d, want %d: %s", step.method, step.path, step.body, w.Code, step.status, w.Body)
		}
	}
}
