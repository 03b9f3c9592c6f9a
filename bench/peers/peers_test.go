package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

func load(t *testing.T) (traffic, *openapi3.T) {
	t.Helper()
	traffic, err := readTraffic("..")
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromFile("../../openapi/nodes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return traffic, document
}

// TestTraffic holds what is sent to the document: good bodies are good, and bad ones are
// bad.
func TestTraffic(t *testing.T) {
	traffic, document := load(t)
	for _, test := range []struct {
		request *request
		schema  string
	}{
		{traffic.Register, "RegisterRequest"},
		{traffic.Heartbeat, "HeartbeatRequest"},
	} {
		schema := document.Components.Schemas[test.schema].Value
		for _, check := range test.request.Checks {
			_, body := check.of(test.request, traffic.Node)
			var value any
			if err := json.Unmarshal([]byte(body), &value); err != nil {
				if check.Status != 400 {
					t.Errorf("%s, %s: %v", test.schema, check.Name, err)
				}
				continue
			}
			err := schema.VisitJSON(value, openapi3.EnableFormatValidation())
			if (err != nil) != (check.Status == 422) {
				t.Errorf("%s, %s: is to be answered %d, and the document says: %v", test.schema, check.Name,
					check.Status, err)
			}
		}
	}
}

// TestHeartbeat holds the heartbeat that is measured to the document's example.
func TestHeartbeat(t *testing.T) {
	traffic, document := load(t)
	example, err := json.Marshal(document.Components.Schemas["HeartbeatRequest"].Value.Example)
	if err != nil || !sameJSON(example, traffic.Heartbeat.Body) {
		t.Errorf("the example is %s (%v), and sent is %s", example, err, traffic.Heartbeat.Body)
	}
}

func TestParseStat(t *testing.T) {
	group, cpu, err := parseStat("4012 (a (b) c) S 1 4010 4010 0 -1 4194304 1 2 3 4 70 30 2 1 20 0 9 0 123 456")
	if group != 4010 || cpu != 1030*time.Millisecond || err != nil {
		t.Errorf("group %d, %v on the CPU, error %v", group, cpu, err)
	}
	if _, _, err := parseStat("4012 (short) S 1 4010"); err == nil {
		t.Error("takes half a line")
	}
}

func TestParseRollup(t *testing.T) {
	const text = "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:    9800 kB\nPss:    5120 kB\nPss_Dirty:    1 kB\n"
	if rss, pss := parseRollup(text, "Rss:"), parseRollup(text, "Pss:"); rss != 9800<<10 || pss != 5<<20 {
		t.Errorf("RSS %d, PSS %d", rss, pss)
	}
}

func TestSpreadOf(t *testing.T) {
	for want, figures := range map[string][]float64{
		"–":                nil,
		"3.0 ms":           {3},
		"1.0 ms":           {1, 1, 1},
		"2.0 ms (1.0–9.0)": {9, 1, 2},
		"2.5 ms (1.0–4.0)": {4, 3, 2, 1},
	} {
		if got := spreadOf(figures, "%.1f", " ms"); got != want {
			t.Errorf("%v: %s, want %s", figures, got, want)
		}
	}
}
