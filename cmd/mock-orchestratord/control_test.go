package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

// TestNamesOfTheControlAPI calls the control API by names that the command line states, and by others.
func TestNamesOfTheControlAPI(t *testing.T) {
	const forbidden = http.StatusForbidden
	for _, test := range []struct {
		steering   steering
		addr, name string
		status     int
	}{
		{steering{on: true}, "mock.example.com:8080", "mock.example.com", http.StatusOK},
		{steering{on: true}, "mock.example.com:8080", "other.example.com", forbidden},
		{steering{on: true}, ":8080", "mock.example.com", forbidden},
		{steering{on: true}, "127.0.0.1:8080", "mock.example.com", forbidden},
		{steering{on: true}, "127.0.0.1:8080", "127.0.0.1", http.StatusOK},
		{steering{on: true, hosts: []string{"other.example.com"}}, ":8080", "other.example.com", http.StatusOK},
		{steering{}, "mock.example.com:8080", "mock.example.com", http.StatusNotFound},
	} {
		mock, err := mockserver.New(test.steering.options(test.addr)...)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		mock.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://"+test.name+"/__mock", nil))
		mock.Close()
		if answer.Code != test.status {
			t.Errorf("%+v: %d, want %d", test, answer.Code, test.status)
		}
	}
}
