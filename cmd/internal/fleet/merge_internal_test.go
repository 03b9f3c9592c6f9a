package fleet

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// FuzzMerge adds up reports of whatever content. That ends with a sum, which is safe to show
// and can be added again, or with an error.
func FuzzMerge(f *testing.F) {
	valid := &Report{Fleets: []member{{Prefix: "a", Nodes: 3}}, Nodes: 3, tally: newTally()}
	valid.Latency.record(longestLatency)
	valid.Failures["\x1b[2J"] = 1
	var text bytes.Buffer
	if err := valid.writeJSON(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"fleets":[{"prefix":"b","nodes":-1,"interval_seconds":1e300}],"failures":null,"sent_late_ns":-1}`))
	f.Add([]byte(`{"fleets":[{}],"latency":{"max_ms":1e308,"hdrhistogram_us":""}}`))
	f.Add([]byte(`{"fleets":[{}],"orchestratord":{"error":"\n::error::\u202e"}}`))
	file := filepath.Join(f.TempDir(), "report.json")
	f.Fuzz(func(t *testing.T, content []byte) {
		sum := merged(t, file, content)
		if sum == nil {
			return
		}
		broken := sum.Broken()
		for format, write := range map[string]func(io.Writer) error{"text": sum.writeText, "json": sum.writeJSON} {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Errorf("%s: %v", format, err)
			}
			if strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
				t.Errorf("%s: output %q", format, out.String())
			}
			if format == "text" {
				continue
			}
			if again := merged(t, file, out.Bytes()); again == nil || len(again.Broken()) != len(broken) {
				t.Errorf("%q is merged into %s, and that into %+v", content, out.String(), again)
			}
		}
	})
}

// merged returns the sum of one report with some content, nil if it is none.
func merged(t *testing.T, file string, content []byte) *Report {
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := Merge(t.Context(), []string{file})
	if err != nil {
		t.Log(err)
		return nil
	}
	return sum
}
