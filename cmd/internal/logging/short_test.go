package logging_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/logging"
)

func TestShort(t *testing.T) {
	var text bytes.Buffer
	log, err := logging.New(&text, "debug", "short")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("node online", "node_id", "gpu-node-1", "machine_id", "m", "correlation_id", "c")
	log.With("node_id", "gpu-node-2").WithGroup("g").Debug("heartbeat", "pools", "pool-0:3/4", "late", true)
	log.Warn("no\x1bnode", "error", "a b")
	want := "T  gpu-node-1    node online\n" +
		"T  gpu-node-2    heartbeat         pool-0:3/4 late=true\n" +
		"T                WARN no<U+001B>node  error=a b\n"
	if got := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d`).ReplaceAllString(text.String(), "T"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
