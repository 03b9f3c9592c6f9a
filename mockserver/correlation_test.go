package mockserver_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
)

// TestCorrelationID asks four times with the same ids, for answers of every part of the
// server.
func TestCorrelationID(t *testing.T) {
	client, _ := start(t, mockserver.WithTokens("secret"))
	for _, test := range []struct {
		given []string
		fits  bool
	}{
		{[]string{"4f1c9d2e-7a30-4b8e-9c55-0d6f1a2b3c4d"}, true},
		{[]string{"x"}, true},
		{[]string{strings.Repeat("x", 128)}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{"-x"}, false},
		{[]string{"a b"}, false},
		{[]string{strings.Repeat("x", 129)}, false},
		{[]string{"one", "two"}, false},
	} {
		var headers []string
		for _, id := range test.given {
			headers = append(headers, "X-Correlation-Id", id)
		}
		ids := map[string]bool{}
		for _, got := range []answer{
			client.do("GET", "/v2/nodes", "", append(headers, "Authorization", "Bearer secret")...),
			client.do("GET", "/v2/nodes", "", headers...),
			client.do("PUT", "/v2/nodes", "", headers...),
			client.do("GET", "/nowhere", "", headers...),
		} {
			ids[got.Header.Get("X-Correlation-Id")] = true
		}
		switch {
		case test.fits && (len(ids) != 1 || !ids[test.given[0]]):
			t.Errorf("%q: the answers carry %v", test.given, ids)
		case !test.fits && len(ids) != 4:
			t.Errorf("%q: the answers carry %v, want ids made up for each", test.given, ids)
		}
	}
}
