package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// FuzzMerge adds up reports of whatever content. That ends with a sum, which is safe to show
// and can be added again, or with an error on one line.
func FuzzMerge(f *testing.F) {
	valid := &report{Fleets: []member{{Prefix: "a", Nodes: 3}}, Nodes: 3, tally: newTally()}
	valid.Latency.record(longestLatency)
	valid.Failures["\x1b[2J"] = 1
	var text bytes.Buffer
	if err := writeJSON(&text, valid); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"fleets":[{"prefix":"b","nodes":-1,"interval_seconds":1e300}],"failures":null,"sent_late_ns":-1}`))
	f.Add([]byte(`{"fleets":[{}],"latency":{"max_ms":1e308,"hdrhistogram_us":""}}`))
	f.Add([]byte(`{"fleets":[{}],"orchestratord":{"error":"\n::error::\u202e"}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(dir, "report.json")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"text", "json"} {
			var out, log bytes.Buffer
			status := run(t.Context(), []string{"merge", "--report", format, file}, &out, &log)
			if failed := status == 1; failed != (out.Len() == 0) || failed != (strings.Count(log.String(), "\n") == 1) {
				t.Errorf("%s: status %d, output %q, error %q", format, status, out.String(), log.String())
			}
			if strings.ContainsFunc(out.String()+log.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
				t.Errorf("%s: output %q, error %q", format, out.String(), log.String())
			}
			if format == "text" || status == 1 {
				continue
			}
			sum := filepath.Join(dir, "sum.json")
			if err := os.WriteFile(sum, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if again := run(t.Context(), []string{"merge", sum}, &out, &log); again != status {
				t.Errorf("%q has status %d, its sum %d: %s", content, status, again, log.String())
			}
		}
	})
}
