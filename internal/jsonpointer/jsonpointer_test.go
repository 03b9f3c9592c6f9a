package jsonpointer_test

import (
	"testing"

	"github.com/llama-orch/node-registration/internal/jsonpointer"
)

func TestJoin(t *testing.T) {
	for want, names := range map[string][]string{
		"/a":            nil,
		"/a/b/0":        {"b", "0"},
		"/a/":           {""},
		"/a/~1v2~1{id}": {"/v2/{id}"},
		"/a/~01~0~1":    {"~1~/"},
	} {
		if got := jsonpointer.Join("/a", names...); got != want {
			t.Errorf("%q joined is %q, want %q", names, got, want)
		}
	}
}
