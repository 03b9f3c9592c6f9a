package mockserver_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// TestTwin has nodes register again: the same one, one that has been silent for too long, and
// another one beside a live one. Only the last is worth a warning.
func TestTwin(t *testing.T) {
	for _, test := range []struct {
		name     string
		machine  string
		address  string
		beats    bool
		silent   time.Duration
		warnings int
	}{
		{"the same", "machine-a", "http://192.0.2.1:9200", true, 0, 0},
		{"another machine", "machine-b", "http://192.0.2.1:9200", true, 0, 1},
		{"another address", "machine-a", "http://192.0.2.2:9200", true, time.Second, 1},
		{"it had never beaten", "machine-b", "http://192.0.2.1:9200", false, 0, 0},
		{"it was offline", "machine-b", "http://192.0.2.1:9200", true, time.Minute, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			still := clock.PausedAt(time.UnixMilli(startMs))
			client, server := start(t, mockserver.WithClock(still),
				mockserver.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			register := func(machine, address string) {
				body := `{"node_id":"gpu-node-1","machine_id":"` + machine + `","address":"` + address +
					`","pools":[],"capabilities":{"gpu_count":0,"total_vram_mb":0,"cuda_version":"12.1"}}`
				client.register(body).expect(t, http.StatusOK)
			}
			register("machine-a", "http://192.0.2.1:9200")
			if test.beats {
				client.beat("gpu-node-1", briefHeartbeat).expect(t, http.StatusOK)
			}
			if err := still.Advance(test.silent); err != nil {
				t.Fatal(err)
			}
			register(test.machine, test.address)
			if got := strings.Count(log.String(), "level=WARN"); got != test.warnings {
				t.Errorf("%d warnings: %s", got, &log)
			}
			summaries := ""
			for _, entry := range server.Journal().Page(journal.Filter{}, 10).Entries {
				summaries += entry.Summary + "\n"
			}
			noted := strings.Contains(summaries,
				"(a live node had this id: machine machine-a at http://192.0.2.1:9200)")
			if noted != (test.warnings == 1) {
				t.Errorf("the journal says %s", summaries)
			}
		})
	}
}
