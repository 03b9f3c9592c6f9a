package conformance_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/mockserver"
)

// TestEchoedTokenIsNotShown runs against servers that put the token into answers that are no
// HTTP, as errors show such answers.
func TestEchoedTokenIsNotShown(t *testing.T) {
	const secret = `a-token-"in-quotes"-0123456789`
	for name, answer := range map[string]string{
		"as a header": "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"quoted":      "%s\r\n\r\n",
	} {
		for _, sound := range []int64{0, 20} {
			t.Run(fmt.Sprintf("%s after %d calls", name, sound), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					mock := newMock(t, mockserver.WithTokens(secret))
					var calls atomic.Int64
					o := conformance.Options{URL: memnet.URL, Token: secret, Only: []string{"lives"}}
					o.Dial = memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if calls.Add(1) <= sound {
							mock.ServeHTTP(w, r)
							return
						}
						conn, _, err := http.NewResponseController(w).Hijack()
						if err != nil {
							t.Error(err)
							return
						}
						defer conn.Close()
						fmt.Fprintf(conn, answer, r.Header.Get("Authorization"))
					}))
					report, err := conformance.Run(t.Context(), o)
					text := fmt.Sprintf("%v %+v", err, report)
					if strings.Contains(text, "in-quotes") || !strings.Contains(text, "[token]") {
						t.Errorf("error and report: %s", text)
					}
				})
			})
		}
	}
}

// TestCutOffTokenIsNotShown runs against servers whose answers quote the token where the report cuts
// them, and perhaps in another spelling.
func TestCutOffTokenIsNotShown(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef0123456789/+"
	for name, spelling := range map[string]string{
		"as it is": secret, "in a URL": url.QueryEscape(secret), "escaped": `\u0030` + secret[1:],
	} {
		for before := 70; before < 120; before += 7 {
			t.Run(fmt.Sprintf("%s after %d bytes", name, before), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					o := conformance.Options{URL: memnet.URL, Token: secret, Only: []string{"lives"}}
					o.Dial = memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						http.Error(w, strings.Repeat("x", before)+" "+spelling, http.StatusInternalServerError)
					}))
					report, err := conformance.Run(t.Context(), o)
					text := fmt.Sprintf("%v %+v", err, report)
					if strings.Contains(text, secret[1:9]) || !strings.Contains(text, "xxx") {
						t.Errorf("error and report: %s", text)
					}
				})
			})
		}
	}
}
