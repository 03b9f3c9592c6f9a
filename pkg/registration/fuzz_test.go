package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// FuzzAnswer feeds a node whatever a server could answer to its registration: it
// takes for a success only what says so, and says what was wrong with the rest in
// a line that is not too long and holds no token.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, well("register").body},
		{200, `{"success":false,"message":"full","node_id":"gpu-node-1"}`},
		{200, `{"success":"yes"}`},
		{200, `{}`},
		{204, ""},
		{307, "moved"},
		{401, `{"detail":"` + token + `"}`},
		{404, `{"success":false,"next_heartbeat_ms":10000}`},
		{422, `{"code":"contract_violation","detail":"no","errors":[{"pointer":"/node_id","detail":"bad"}]}`},
		{429, `{"status":1e400}`},
		{503, strings.Repeat("[", 100_000)},
	} {
		f.Add(seed.status, "Retry-After", "7", []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, status int, name, value string, body []byte) {
		if status < 200 || status > 999 {
			t.Skip("net/http lets no such status through")
		}
		w := &wire{answer: func(int, request) answer {
			return answer{status: status, header: http.Header{http.CanonicalHeaderKey(name): {value}}, body: string(body)}
		}}
		c := config(t, w)
		c.Logger = slog.New(slog.DiscardHandler)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // ends the wait for a retry
		defer cancel()
		err := newNode(t, c).Register(ctx)

		if good := status < 300 && saysSuccess(body); good != (err == nil) {
			t.Fatalf("%d %q: error is %v", status, body, err)
		}
		var typed *registration.Error
		if err != nil && !errors.As(err, &typed) {
			t.Fatalf("error is a %T", err)
		}
		if err != nil && (strings.Contains(err.Error(), token) || len(err.Error()) > 4096) {
			t.Errorf("error is %q", err)
		}
	})
}

// saysSuccess tells whether a body means success, by the field alone.
func saysSuccess(body []byte) bool {
	var answer struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
		NodeID  string `json:"node_id"`
	}
	return json.Unmarshal(body, &answer) == nil && answer.Success
}
