package main

import (
	"net/http"
	"testing"
)

// TestCORSFlag looks for the origin of the command line in an answer.
func TestCORSFlag(t *testing.T) {
	program := start(t, nil, "--cors-origin", "http://localhost:5173")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, program.url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://localhost:5173")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != "http://localhost:5173" {
		t.Errorf("allowed origin %q", got)
	}
}
