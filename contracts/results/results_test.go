package results_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/contracts/results"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	want := &results.Results{Provider: "orchestratord", Interactions: []results.Interaction{
		{Description: "a heartbeat", ProviderStates: []string{"a node is registered"}, Result: results.Passed},
		{Description: "a registration", Result: results.Failed},
		{Description: "a list", ProviderStates: []string{"throttled"}, Result: results.Skipped},
	}}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	have, err := results.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"what is not JSON":       `provider`,
		"a result of a new kind": `{"interactions": [{"description": "a list", "result": "pending"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "results.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := results.Read(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(
		[]byte(
			`{"provider": "a", "interactions": [{"description": "b", "providerStates": ["c"], "result": "passed"}]}`))
	f.Add([]byte(`{"interactions": [{"result": "odd"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "results.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := results.Read(path)
		if err != nil {
			return
		}
		if err := read.Write(path); err != nil {
			t.Fatal(err)
		}
		if again, err := results.Read(path); err != nil || !cmp.Equal(read, again) {
			t.Errorf("%+v is written and read as %+v: %v", read, again, err)
		}
	})
}
