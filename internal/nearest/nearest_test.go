package nearest_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/nearest"
)

func TestName(t *testing.T) {
	known := []string{"node_id", "machine_id", "pools", "check", "run", "addr"}
	for name, want := range map[string]string{
		"nod_id":                    "node_id",
		"NodeID":                    "node_id",
		"chekc":                     "check", // two neighbours swapped
		"rnu":                       "run",
		"pool":                      "pools",
		"adr":                       "addr",
		"machine":                   "machine_id", // a word of it
		"ID":                        "",           // of two
		"walk":                      "",
		"":                          "",
		strings.Repeat("pools", 99): "",
	} {
		if got := nearest.Name(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
