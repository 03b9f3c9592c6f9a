package registration

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// echo answers every request with the same thing.
type echo struct {
	status int
	header http.Header
	body   string
}

func (e echo) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: e.status, Header: e.header, Body: io.NopCloser(strings.NewReader(e.body)),
		Request: r,
	}, nil
}

// FuzzAnswer feeds a node whatever a server could answer: it takes for a success
// only what is one, asks for no interval out of bounds, and says what was wrong
// in a line that is not too long and holds no token.
func FuzzAnswer(f *testing.F) {
	const token = "a-token-that-must-never-be-seen-anywhere"
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, `{"success":true,"message":"registered","node_id":"gpu-node-1","next_heartbeat_ms":10000}`},
		{200, "\ufeff" + `{"success":true,"message":"registered","node_id":"gpu-node-1","next_heartbeat_ms":10000}`},
		{202, `{"success":true,"message":"registered","node_id":"gpu-node-1"}`}, // which the document does not declare
		{200, `{"success":true,"next_heartbeat_ms":-9223372036854775808}`},
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
		{503, strings.Repeat("\x11", 1000)},
	} {
		for op := range uint8(3) {
			f.Add(op, seed.status, "Retry-After", "7", seed.body)
			f.Add(op, seed.status, "Content-Type", "text/plain", seed.body)
			f.Add(op, seed.status, "Location", "/elsewhere?"+token, seed.body)
		}
	}
	f.Fuzz(func(t *testing.T, op uint8, status int, name, value, body string) {
		if status < 200 || status > 999 {
			t.Skip("net/http lets no such status through")
		}
		link, err := newLink(Config{
			OrchestratordURL: "http://orchestratord:8080",
			APIToken:         StaticToken(token),
			HTTPClient: &http.Client{
				Transport: echo{status, http.Header{http.CanonicalHeaderKey(name): {value}}, body},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var o outcome
		var good bool
		switch op % 3 {
		case 0:
			o = link.register(t.Context(), func(error) {}, nodeapi.RegisterRequest{})
			good = status == http.StatusOK &&
				says(body, new(nodeapi.RegisterResponse), func(r *nodeapi.RegisterResponse) bool { return r.Success })
		case 1:
			o = link.heartbeat(t.Context(), func(error) {}, "gpu-node-1", nodeapi.HeartbeatRequest{})
			good = status == http.StatusNoContent || status < 300 &&
				says(body, new(nodeapi.HeartbeatResponse), func(r *nodeapi.HeartbeatResponse) bool { return r.Success })
		default:
			o = link.deregister(t.Context(), func(error) {}, "gpu-node-1")
			good = status < 300
		}
		if good != (o.verdict == accepted) || good != (o.err == nil) {
			t.Fatalf("operation %d, %d %q: verdict %s, error %v", op%3, status, body, o.verdict.name(), o.err)
		}
		if o.nextBeat != 0 && (o.nextBeat < minInterval || o.nextBeat > maxInterval) || o.retryAfter < 0 ||
			o.retryAfter > maxRetryAfter {
			t.Errorf("asks for a heartbeat every %v, or a pause of %v", o.nextBeat, o.retryAfter)
		}
		var typed *Error
		if !good &&
			(!errors.As(o.err, &typed) || strings.ContainsAny(o.err.Error(), "\r\n") ||
				strings.Contains(o.err.Error(), token) || len(o.err.Error()) > 2*maxDetail) {
			t.Errorf("error is %q", o.err)
		}
	})
}

// Each byte of a text takes many comparisons, and a header may have megabytes.
func TestALongTextIsNotLookedThrough(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	if seen := foreign.Redact(long, "a-token", maxDetail); len(seen) <= maxDetail || len(seen) > 2*maxDetail {
		t.Errorf("%d bytes have been looked through, want a few more than %d", len(seen), maxDetail)
	}
	if err := new(Error).because(errors.New(long), "a-token"); !strings.Contains(err.cause.Error(), "not shown") {
		t.Errorf("the cause is shown, %d bytes of it", len(err.cause.Error()))
	}
}

// says reports whether a body, read up to the limit, is an answer
// that satisfies a condition.
func says[T any](body string, answer *T, condition func(*T) bool) bool {
	err := json.Unmarshal([]byte(strings.TrimPrefix(body[:min(len(body), maxAnswer)], "\ufeff")), answer)
	var mismatch *json.UnmarshalTypeError // such as a number that is none of Go's
	return (err == nil || errors.As(err, &mismatch) && mismatch.Field != "") && condition(answer)
}
