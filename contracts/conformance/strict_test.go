package conformance_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/conformance"
	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
)

// lax is what a mock that keeps the document is made to take, or to refuse.
type lax struct {
	only string // the check that has to find it
	does func(r *http.Request) (status int)
	want string
}

// TestLaxReadersAreFound_heavy has something before the mock that takes more than the document allows, or less.
func TestLaxReadersAreFound_heavy(t *testing.T) {
	race.Skip(t)
	for _, kind := range []map[string]lax{laxPatterns(), laxParsers(), laxTypes(), laxTokens()} {
		for name, test := range kind {
			t.Run(name, func(t *testing.T) { bubble(t, test.isFound) })
		}
	}
}

// isFound has conformance meet a mock behind this reader.
func (l lax) isFound(t *testing.T) {
	mock := newMock(t, mockserver.WithTokens(token))
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := l.does(r); status != 0 {
			w.WriteHeader(status)
			return
		}
		mock.ServeHTTP(w, r)
	})
	departs(t, server, conformance.Options{Token: token, Level: conformance.Document, Only: []string{l.only}}, l.want)
}

// reads has bodies changed on their way to the mock.
func reads(change func(body string) string) func(*http.Request) int {
	return func(r *http.Request) int {
		text, _ := io.ReadAll(r.Body)
		body := []byte(change(string(text)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return 0
	}
}

// rewrites has the matches of a regular expression replaced in bodies on their way to the mock.
func rewrites(expression, with string) func(*http.Request) int {
	pattern := regexp.MustCompile(expression)
	return reads(func(body string) string { return pattern.ReplaceAllString(body, with) })
}

// laxPatterns compare a part of a text with a pattern.
func laxPatterns() map[string]lax {
	return map[string]lax{
		"a line break after a text": {
			"negative", rewrites(`"machine_id":"([a-z0-9-]+)\\n"`, `"machine_id":"$1"`),
			"/machine_id: pattern ^[A-Za-z0-9][A-Za-z0-9._:-]*$, but for a line break after it: ",
		},
		"a line break before a text": {
			"negative", rewrites(`"\\n`, `"`), ", but for a line break before it: expected 422",
		},
		"what precedes a pattern": {
			"negative", rewrites(`"version":" `, `"version":"`),
			"/version: pattern ^[!-~]+$, but for a space before it",
		},
		"what follows a pattern": {
			"negative", rewrites(` "`, `"`),
			", but for a space after it: expected 422",
		},
		"letters of any alphabet": {
			"negative", rewrites(`"machine_id":"([a-z0-9-]+)é"`, `"machine_id":"$1"`),
			"/machine_id: pattern",
		},
		"digits of any alphabet": {
			"negative", rewrites(`٣`, ""),
			", but for an Arabic digit: expected 422",
		},
		"addresses with a query": {
			"negative", rewrites(`\?query`, ""),
			`/address: format uri "http://192.0.2.10:9200?query"`,
		},
		"addresses that are too long": {
			"negative", rewrites(`1(1{999})`, "$1"), "/address: maxLength 2048: expected 422",
		},
		"times without seconds": {
			"negative", rewrites("T00:00Z", "T00:00:00Z"),
			`/timestamp: format date-time "2024-01-01T00:00Z"`,
		},
		"times that are too long": {
			"negative", rewrites(`1(1{42}Z)`, "$1"), "/timestamp: maxLength 64: expected 422",
		},
	}
}

// laxParsers read what is no JSON.
func laxParsers() map[string]lax {
	drops := func(part, with string) func(*http.Request) int {
		return reads(func(body string) string { return strings.ReplaceAll(body, part, with) })
	}
	return map[string]lax{
		"commas": {
			"negative", drops(",]", "]"),
			"registerNode: status with a body with a comma too many: expected 400",
		},
		"comments": {
			"negative", drops("/* a comment */", ""),
			"registerNode: status with a body with a comment: ",
		},
		"NaN": {
			"negative", drops("NaN", "0"),
			"registerNode: status with a body with NaN: expected 400",
		},
		"line breaks": {
			"negative", drops("\n", ""),
			"registerNode: status with a body with a line break within a text: ",
		},
	}
}

// laxTypes take values of one type for those of another.
func laxTypes() map[string]lax {
	return map[string]lax{
		"numbers for truth": {
			"negative", rewrites(`("ready"):1\b`, "$1:true"),
			"heartbeatNode: status with /pools/*/ready: type",
		},
		"truth for numbers": {
			"negative", rewrites(`("slots_free"):true`, "$1:1"),
			"heartbeatNode: status with /pools/*/slots_free: type",
		},
	}
}

// laxAnswers change what the mock answers.
var laxAnswers = map[string]struct {
	only string
	does func(r *http.Request, a *httptest.ResponseRecorder, body string) string
	want string
}{
	"half of a character": {"examples", func(_ *http.Request, _ *httptest.ResponseRecorder, body string) string {
		return strings.Replace(body, `"message":"`, `"message":"\ud83d`, 1)
	}, "registerNode: 200 body: expected JSON, got half of a surrogate pair"},
	"zero for what is unknown": {"coverage", func(_ *http.Request, _ *httptest.ResponseRecorder, body string) string {
		if strings.Contains(body, `"cpu_cores"`) {
			return body
		}
		return strings.Replace(body, `"gpu_count"`, `"cpu_cores":0,"gpu_count"`, 1)
	}, "listNodes: capabilities/cpu_cores of a node: expected none, as it has registered none, got 0"},
	"a method that is refused": {"negative", func(r *http.Request, a *httptest.ResponseRecorder, body string) string {
		if a.Code == http.StatusMethodNotAllowed {
			a.Header().Set("Allow", a.Header().Get("Allow")+", "+r.Method)
		}
		return body
	}, "header Allow: expected no method that is refused, got "},
	"places counted from 1": {"negative", func(_ *http.Request, _ *httptest.ResponseRecorder, body string) string {
		return strings.ReplaceAll(body, "/gpus/1/", "/gpus/2/")
	}, "registerNode: 422 body/errors: expected the place that is broken, got " +
		"/capabilities/gpus/2/compute_capability, not /capabilities/gpus/1/compute_capability"},
}

// TestLaxAnswersAreFound_heavy has something behind the mock that changes its answers.
func TestLaxAnswersAreFound_heavy(t *testing.T) {
	race.Skip(t)
	for name, test := range laxAnswers {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				mock := newMock(t, mockserver.WithTokens(token))
				server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					answer := httptest.NewRecorder()
					mock.ServeHTTP(answer, r)
					body := test.does(r, answer, answer.Body.String())
					maps.Copy(w.Header(), answer.Header())
					w.Header().Del("Content-Length")
					w.WriteHeader(answer.Code)
					_, _ = io.WriteString(w, body)
				})
				o := conformance.Options{Token: token, Level: conformance.Document, Only: []string{test.only}}
				departs(t, server, o, test.want)
			})
		})
	}
}

// laxTokens ask for the token in the wrong place.
func laxTokens() map[string]lax {
	open := func(when func(r *http.Request) bool) func(*http.Request) int {
		return func(r *http.Request) int {
			if when(r) {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			return 0
		}
	}
	return map[string]lax{
		"no token where an id is escaped": {"tokens", open(func(r *http.Request) bool {
			return strings.Contains(r.URL.EscapedPath(), "/nodes/%")
		}), "deregisterNode: state after a call with no token, and the path spelt /v2/nodes/%7B%69%64%7D: "},
		"no token for another media type": {"tokens", open(func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json"
		}), "status with no token, and another media type: expected 401, got 415"},
		"underscores for hyphens": {"tokens", open(func(r *http.Request) bool {
			return strings.ReplaceAll(r.Header.Get("Authorization"), "_", "-") == "Bearer "+token
		}), "deregisterNode: status with a token with underscores for its hyphens: expected 401, got 204"},
		"no token for the head of the list": {"tokens", func(r *http.Request) int {
			if r.Method == http.MethodHead {
				return http.StatusOK
			}
			return 0
		}, "listNodes: status with no token, and the method HEAD: expected 401, or another refusal, got 200"},
		"no character in two escapes": {"transport", func(r *http.Request) int {
			text, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(text))
			return min(1, strings.Count(string(text), `\ud83d`)) * http.StatusForbidden
		}, "registerNode: status with a body with escapes: expected 200, got 403"},
		"no call that closes its connection": {"transport", func(r *http.Request) int {
			if r.Close && r.ProtoAtLeast(1, 1) {
				return http.StatusForbidden
			}
			return 0
		}, "registerNode: status carried as HTTP/1.1 with Connection: close: expected 200, got 403"},
		"no call without a user agent": {"transport", func(r *http.Request) int {
			if r.UserAgent() == "" {
				return http.StatusForbidden
			}
			return 0
		}, "registerNode: status without User-Agent: expected 200, got 403"},
	}
}
