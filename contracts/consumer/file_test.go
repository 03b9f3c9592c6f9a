//go:build pact

package consumer_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the pact anew instead of holding the committed one against it")

// committed is the pact that everybody else reads.
const committed = "../pacts/" + pactConsumer + "-" + pactProvider + ".json"

// written returns the pact as it is committed: what Pact wrote, but for the versions
// of the libraries that wrote it, and in a form that does not change by itself.
func (p pact) written(t *testing.T) []byte {
	t.Helper()
	file := decode(t, read(t, filepath.Join(p.dir, pactConsumer+"-"+pactProvider+".json")))
	metadata := file["metadata"].(object)
	delete(metadata, "pactRust")
	delete(metadata, "pact-go")

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(file); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// compare fails unless the committed pact is the one that was driven.
func compare(t *testing.T, driven []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(committed, driven, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have := read(t, committed)
	if bytes.Equal(have, driven) {
		return
	}
	before, after := interactions(t, have), interactions(t, driven)
	for what := range before {
		if _, still := after[what]; !still {
			t.Errorf("%q is in the committed pact, but the client does not do it", what)
		}
	}
	for what, now := range after {
		was, known := before[what]
		if !known {
			t.Errorf("%q is not in the committed pact", what)
		} else if diff := cmp.Diff(was, now); diff != "" {
			t.Errorf("%q has changed (- committed, + driven):\n%s", what, diff)
		}
	}
	t.Errorf("%s is stale; when the change is meant, run: go test -tags pact ./contracts/consumer -update",
		filepath.Base(committed))
}

// interactions returns the interactions of a pact by what they are.
func interactions(t *testing.T, text []byte) map[string]any {
	t.Helper()
	found := map[string]any{}
	list, _ := decode(t, text)["interactions"].([]any)
	for _, each := range list {
		what, _ := each.(object)["description"].(string)
		found[what] = each
	}
	return found
}

func decode(t *testing.T, text []byte) object {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value object
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
