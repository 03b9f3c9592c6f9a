package conformance_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
)

// TestConnectionsThatEnd_heavy has a server close connections after refusals, and after any answer. That is right where
// it says so, or where it happens now and then.
func TestConnectionsThatEnd_heavy(t *testing.T) {
	const want = " connection: expected one that goes on, or the header Connection: close"
	type ending struct {
		status, every int
		announced     bool
		want          string // empty for nothing
	}
	for name, test := range shared(t, map[string]ending{
		"announced":    {422, 1, true, ""},
		"now and then": {422, 5, false, ""},
		"unannounced":  {422, 1, false, "heartbeatNode: 422" + want},
		"after 404":    {404, 1, false, "deregisterNode: 404" + want},
	}) {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				mock := newMock(t)
				calls := 0
				server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					answer := recorded(mock, r)
					status := answer.pass(w)
					if status == test.status {
						calls++
					}
					if status != test.status || calls%test.every > 0 {
						w.WriteHeader(status)
						_, _ = io.Copy(w, answer.Body)
						return
					}
					if test.announced {
						w.Header().Set("Connection", "close")
					}
					sendAndClose(w, status, answer.Body.Bytes())
				})
				o := conformance.Options{Level: conformance.Document, Only: []string{"lives", "negative"}}
				if test.want != "" {
					departs(t, server, o, test.want)
				} else {
					conforms(t, server, o)
				}
			})
		})
	}
}

// sendAndClose writes an answer, and closes its connection.
func sendAndClose(w http.ResponseWriter, status int, body []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	answer := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: w.Header(),
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	_ = answer.Write(conn)
}
