package mockserver_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// TestLongBodiesAreAnsweredBriefly sends bodies with two faults. Of a long one, the answer has the first.
func TestLongBodiesAreAnsweredBriefly(t *testing.T) {
	client, _ := start(t)
	faulty := edited(t, edited(t, briefRegistration, "/node_id", missing), "/machine_id", missing)
	for bytes, want := range map[int]int{64 << 10: 2, 64<<10 + 1: 1} {
		body := faulty + strings.Repeat(" ", bytes-len(faulty))
		got := client.register(body).expect(t, http.StatusUnprocessableEntity).pointers(t)
		if len(got) != want {
			t.Errorf("of %d bytes, the faults are at %v, want %d", bytes, got, want)
		}
	}
}

func TestValuesOutOfBounds_heavy(t *testing.T) {
	race.Skip(t)
	client, server := start(t)
	client.register(briefRegistration).expect(t, http.StatusOK)
	before := server.Nodes()
	beat := func(body string) answer { return client.beat("gpu-node-1", body) }
	for _, test := range []struct {
		send    func(body string) answer
		payload string
		field   string
		value   any
		detail  string // a part of it
	}{
		{client.register, fullRegistration, "/node_id", "", "length of 1 or more, not 0"},
		{client.register, fullRegistration, "/node_id", "-", `must match ^[A-Za-z0-9]`},
		{client.register, fullRegistration, "/node_id", "a\x00", "must match"},
		{client.register, fullRegistration, "/node_id", json.RawMessage(`"\ud800"`), "must match"},
		{client.register, fullRegistration, "/node_id", strings.Repeat("x", 129), "length of 128 or less, not 129"},
		{client.register, fullRegistration, "/address", "ftp://host", "must match ^https?://"},
		{
			client.register, fullRegistration, "/address", "http://host:port",
			"must be a valid uri, such as http://192.168.1.100:9200",
		},
		{client.register, fullRegistration, "/pools", []string{"a", "a"}, "duplicate"},
		{client.register, fullRegistration, "/pools", names(257), "256 items or fewer, not 257"},
		{client.register, fullRegistration, "/pools/0", map[string]any{}, "must be of type string, not object"},
		{
			client.register, fullRegistration, "/capabilities/gpus/0/name", strings.Repeat("é", 257),
			"length of 256 or less, not 257",
		},
		{client.register, fullRegistration, "/capabilities/gpu_count", -1, "must be 0 or more, not -1"},
		{client.register, fullRegistration, "/capabilities/gpu_count", 1e3 + 25, "must be 1024 or less, not 1025"},
		{
			client.register, fullRegistration, "/capabilities/gpu_count", json.RawMessage("1e19"),
			"must be 1024 or less, not 1" + strings.Repeat("0", 19),
		},
		{client.register, fullRegistration, "/capabilities/gpu_count", 0.5, "must be of type integer, not 0.5"},
		{client.register, fullRegistration, "/capabilities/gpu_count", true, "must be of type integer, not true"},
		{client.register, fullRegistration, "/capabilities/gpu_count", "1", `must be of type integer, not "1"`},
		{
			client.register, fullRegistration, "/capabilities/gpu_count", "a\nb \x1b[31m",
			`must be of type integer, not "a<U+000A>b <U+001B>[31m"`,
		},
		{
			client.register, fullRegistration, "/capabilities/gpu_count", "http://me:secret@host",
			`must be of type integer, not "http://***@host"`,
		},
		{
			client.register, fullRegistration, "/capabilities/gpu_count",
			"http://me:" + strings.Repeat("s", 60) + "@host",
			`must be of type integer, not "http://***@host"`,
		},
		{
			client.register, fullRegistration, "/capabilities/gpu_count", strings.Repeat("x", 1<<20),
			`must be of type integer, not "` + strings.Repeat("x", 39) + `…"`,
		},
		{
			client.register, fullRegistration, "/capabilities/gpu_count",
			json.RawMessage("1" + strings.Repeat("0", 200)), "not 1e+200",
		},
		{
			client.register, fullRegistration, "/capabilities/gpu_count",
			json.RawMessage("1" + strings.Repeat("0", 400)), "not a number out of range",
		},
		{
			client.register, fullRegistration, "/capabilities/ram_total_bytes", json.RawMessage("9007199254740993"),
			"must be 9007199254740991 or less",
		},
		{
			client.register, fullRegistration, "/capabilities/ram_total_bytes",
			json.RawMessage("18446744073709551615"), "must be a valid int64, such as 137438953472",
		},
		{client.register, fullRegistration, "/capabilities/cuda_version", "twelve", "must match"},
		{client.register, fullRegistration, "/version", "", "length of 1 or more"},
		{beat, fullHeartbeat, "/timestamp", "yesterday", "must be a valid date-time, such as 2025-10-01T00:00:00Z"},
		{
			beat, fullHeartbeat, "/timestamp", "2026-02-03T00:00:00." + strings.Repeat("0", 45) + "Z",
			"length of 64 or less, not 66",
		},
		{beat, fullHeartbeat, "/timestamp", "2026-12-31T23:59:60Z", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", "2026-02-30T00:00:00Z", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", "2026-02-03 00:00:00Z", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", "2026-02-03T0:00:00Z", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", "2026-02-03T00:00:00,5Z", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", "2026-02-03T00:00:00+24:00", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", "2026-02-03T00:00:00-00:60", "must be a valid date-time"},
		{beat, fullHeartbeat, "/timestamp", strings.Repeat("9", 1<<20), "length of 64 or less, not 1048576"},
		{beat, fullHeartbeat, "/pools", map[string]any{}, "must be of type array, not object"},
		{beat, fullHeartbeat, "/pools/0", []any{}, "must be of type object, not array"},
		{beat, fullHeartbeat, "/pools/0/ready", "yes", `must be of type boolean, not "yes"`},
		{beat, fullHeartbeat, "/pools/0/draining", nil, "must be of type boolean, not null"},
		{beat, fullHeartbeat, "/pools/0/models_available/0", "", "length of 1 or more"},
	} {
		got := test.send(edited(t, test.payload, test.field, test.value)).expect(t, http.StatusUnprocessableEntity)
		if diff := cmp.Diff([]string{test.field}, got.pointers(t)); diff != "" {
			t.Errorf("%s %.40q: pointers (-want +got):\n%s", test.field, test.value, diff)
		}
		if !strings.Contains(string(got.text), strings.Trim(strconv.Quote(test.detail), `"`)) {
			t.Errorf("%s %.40q: %q is not in %s", test.field, test.value, test.detail, got.text)
		}
	}
	if diff := cmp.Diff(before, server.Nodes()); diff != "" {
		t.Errorf("the registry has changed (-before +after):\n%s", diff)
	}
}

// TestManyViolations_heavy breaks the contract in more places than an answer has room for.
func TestManyViolations_heavy(t *testing.T) {
	race.Skip(t)
	client, _ := start(t)
	body := edited(t, briefRegistration, "/pools", make([]any, 1000))
	got := client.register(body).expect(t, http.StatusUnprocessableEntity)
	if count := len(*got.problem(t).Errors); count != 100 {
		t.Errorf("%d violations, want the first 100", count)
	}
	if diff := cmp.Diff(got.problem(t).Errors, client.register(body).problem(t).Errors); diff != "" {
		t.Errorf("the second time they are others:\n%s", diff)
	}
	huge := client.register(edited(t, briefRegistration, "/pools", make([]any, 100_000))).expect(t,
		http.StatusUnprocessableEntity)
	if diff := cmp.Diff([]string{"/pools"}, huge.pointers(t)); diff != "" {
		t.Errorf("of a huge body not the first alone (-want +got):\n%s", diff)
	}
}

// TestSameViolationTwice breaks both parts of an allOf in the same way.
func TestSameViolationTwice(t *testing.T) {
	client, _ := start(t)
	got := client.register(edited(t, briefRegistration, "/capabilities", "many")).expect(t,
		http.StatusUnprocessableEntity)
	want := []nodeapi.Violation{{Pointer: "/capabilities", Detail: "must be of type object, not string"}}
	if diff := cmp.Diff(&want, got.problem(t).Errors); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}
