package logging_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/logging"
)

func TestLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "WARN": 2, "error": 1} {
		for _, format := range []string{"text", "short", "json"} {
			var text bytes.Buffer
			log, err := logging.New(&text, level, format)
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("message")
			log.Info("message")
			log.Warn("message")
			log.Error("message")
			if lines := strings.Count(text.String(), "\n"); lines != want {
				t.Errorf("%s, %s: %d lines, want %d", level, format, lines, want)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	var text bytes.Buffer
	log, err := logging.New(&text, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("node online", "node_id", "gpu-node-1")
	if !strings.Contains(text.String(), "node online node_id=gpu-node-1") || strings.Contains(text.String(), "\x1b") {
		t.Errorf("text: %q", text.String())
	}

	text.Reset()
	if log, err = logging.New(&text, "info", "json"); err != nil {
		t.Fatal(err)
	}
	log.Info("node online", "node_id", "gpu-node-1")
	var entry map[string]any
	if err := json.Unmarshal(text.Bytes(), &entry); err != nil || entry["node_id"] != "gpu-node-1" {
		t.Errorf("json: %v, %q", err, text.String())
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ level, format, want string }{
		{"loud", "text", `--log-level is "loud": must be debug, info, warn or error`},
		{"info", "xml", `--log-format is "xml": must be text, short or json`},
		{
			"", "",
			`--log-level is "": must be debug, info, warn or error` + "\n" +
				`--log-format is "": must be text, short or json`,
		},
	} {
		log, err := logging.New(&bytes.Buffer{}, test.level, test.format)
		if err == nil || err.Error() != test.want || log != nil {
			t.Errorf("%q, %q: logger %v, error %v", test.level, test.format, log, err)
		}
	}
}
