package registration_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A refusal that the document declares is final. Another status came from a router or a
// balancer: it is asked again, and the caller learns what it said.
func TestRegisterSaysWhatWasWrong(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		kind   error
		text   string
	}{
		"400": {problem(400, "malformed_body"), registration.ErrRefused, "400 malformed_body: because"},
		"401": {
			problem(401, "unauthorized"), registration.ErrUnauthorized, "401 unauthorized: because",
		},
		"401 without a body": {answer{status: 401}, registration.ErrUnauthorized, "401"},
		"403":                {answer{status: 403, body: "no"}, registration.ErrUnavailable, "403: no ("},
		"404, another server": {
			plain(404, "404 page not found\n"), registration.ErrUnavailable,
			"404: is http://orchestratord:8080/ the base URL of an orchestratord? 404 page not found (",
		},
		"404, an empty one": {
			answer{status: 404}, registration.ErrUnavailable, "the base URL of an orchestratord? (",
		},
		"413": {problem(413, "body_too_large"), registration.ErrRefused, "413 body_too_large"},
		"415": {answer{status: 415, body: "text"}, registration.ErrRefused, "415"},
		"422": {
			answer{status: 422, body: `{"errors":[{"pointer":"/a","detail":"is odd"},{"pointer":"/b","detail":"is"}]}`},
			registration.ErrRefused,
			"422: /a is odd; /b is (",
		},
		"422, with its first violation twice": {
			answer{status: 422, body: `{"code":"contract_violation","detail":"it breaks the contract at \"/a\": ` +
				`is odd (1 more)","errors":[{"pointer":"/a","detail":"is odd"},{"pointer":"/b","detail":"is"}]}`},
			registration.ErrRefused,
			`422 contract_violation: it breaks the contract at "/a": is odd (1 more); /b is (`,
		},
		"422, with a violation that its detail seems to have": {
			answer{status: 422, body: `{"code":"contract_violation","detail":"it breaks the contract at \"/a/10\": ` +
				`is odd (1 more)","errors":[{"pointer":"/a/10","detail":"is odd"},` +
				`{"pointer":"/a/1","detail":"is odd"}]}`},
			registration.ErrRefused,
			`422 contract_violation: it breaks the contract at "/a/10": is odd (1 more); /a/1 is odd (`,
		},
		"429, with its title alone": {
			answer{status: 429, body: `{"code":"throttled","title":"slow down\r\n"}`},
			registration.ErrUnavailable,
			"429 throttled: slow down (",
		},
		"422, as in service": {
			plain(422, "capabilities: missing field `gpus` at line 1\r\n\x1b[1m"), registration.ErrRefused,
			"422: capabilities: missing field `gpus` at line 1<U+000D><U+000A><U+001B>[1m (",
		},
		"no answer": {
			answer{err: errors.New("connection reset")}, registration.ErrUnavailable, "unavailable: Post ",
		},
		"a page with 200": {
			answer{status: 200, body: "<html>"}, registration.ErrUnavailable, "200: unreadable: invalid character",
		},
		"201": {
			answer{status: 201, body: well("register").body},
			registration.ErrUnavailable,
			"201: not an answer to a registration (",
		},
		"202": {
			answer{status: 202, body: well("register").body},
			registration.ErrUnavailable,
			"202: not an answer to a registration (",
		},
		"a success that broke off": {
			answer{status: 200, body: well("register").body, length: 500},
			registration.ErrUnavailable,
			"200: unexpected EOF (",
		},
		"text as long as what is read": {
			plain(422, strings.Repeat("x", 64<<10)), registration.ErrRefused, "422 (", // it may have been cut off
		},
		"text that is read to its end": {
			plain(422, strings.Repeat("x", 64<<10-1)), registration.ErrRefused, "422: xxx",
		},
		"a long code": {
			problem(422, strings.Repeat("c", 100)), registration.ErrRefused,
			"422 " + strings.Repeat("c", 64) + "…: because",
		},
		"a page": {
			answer{status: 422, header: http.Header{"Content-Type": {"text/html"}}, body: "<html>no"},
			registration.ErrRefused, "422 (",
		},
		"a page of a kind that cannot be read": {
			answer{status: 422, header: http.Header{"Content-Type": {"; charset"}}, body: "<html>no"},
			registration.ErrRefused, "422 (",
		},
		"a long story": {
			plain(422, strings.Repeat("é", 4000)), registration.ErrRefused, "422: " + strings.Repeat("é", 512) + "… (",
		},
		"a redirect": {
			answer{status: 307, header: http.Header{"Location": {"http://elsewhere/"}}},
			registration.ErrUnavailable,
			"307: it redirects to http://elsewhere/,",
		},
		"a place without a redirect": {
			answer{status: 503, header: http.Header{"Location": {"http://elsewhere/"}}},
			registration.ErrUnavailable, "503 (",
		},
		"a redirect to a secret": {
			answer{
				status: 302,
				header: http.Header{
					"Location": {"//me:secret@elsewhere/" + token[:7] + "%2d" + token[8:] + "?secret#secret"},
				},
			},
			registration.ErrUnavailable, "it redirects to http://elsewhere/[token],",
		},
		"101": {answer{status: 101}, registration.ErrUnavailable, "it switches protocols"},
		"message": {
			answer{
				status: 503,
				body:   `{"success":false,"message":"Cloud profile not enabled. Set X=true","node_id":"n"}`,
			}, registration.ErrUnavailable, "503: Cloud profile not enabled. Set X=true (",
		},
		"a message behind a byte order mark": {
			answer{status: 503, body: "\ufeff" + `{"message":"no backend"}`},
			registration.ErrUnavailable,
			"503: no backend (",
		},
		"error": {
			answer{status: 502, body: `{"error":{"code":7,"message":"no backend"}}`},
			registration.ErrUnavailable,
			"502: no backend (",
		},
		"an error in an error": {
			answer{status: 502, body: `{"error":{"error":{"message":"no backend"}}}`},
			registration.ErrUnavailable, "502: no backend (",
		},
		"an error too deep to look for": {
			answer{status: 502, body: `{"error":{"error":{"error":{"message":"no backend"}}}}`},
			registration.ErrUnavailable, "502 (",
		},
		"JSON without a reason": {
			answer{status: 502, body: `{"token":"\u0061-token"}`}, registration.ErrUnavailable, "502 (",
		},
		"an error without words beside a reason": {
			answer{status: 502, body: `{"error":{"code":7},"reason":"no backend"}`},
			registration.ErrUnavailable,
			"502: no backend (",
		},
		"a rejection": {
			answer{status: 200, body: `{"success":false,"message":"the cluster is full","node_id":"gpu-node-1"}`},
			registration.ErrRefused, "the cluster is full",
		},
		"an echo of the token": {
			answer{status: 401, body: `{"detail":"bad token ` + token + `","code":"` + token + `"}`},
			registration.ErrUnauthorized, "bad token [token]",
		},
		"an echo in plain text": {plain(401, "bad token "+token), registration.ErrUnauthorized, "bad token [token] ("},
		"an echo that broke off": {
			answer{status: 401, header: plain(0, "").header, body: "bad token " + token[:20], length: 200},
			registration.ErrUnauthorized, "401 (",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(int, request) answer { return test.answer }}
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // too short for a second attempt
				defer cancel()
				err := newNode(t, config(t, w)).Register(ctx)
				if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error is %v, want %v with %q", err, test.kind, test.text)
				}
				var typed *registration.Error
				if !errors.As(err, &typed) || typed.Op != "register" || typed.StatusCode != test.answer.status ||
					typed.CorrelationID != w.sent()[0].header.Get("X-Correlation-Id") {
					t.Fatalf("error is %#v", typed)
				}
				if open := w.open.Load(); open != 0 || slices.Contains(typed.Unwrap(), nil) {
					t.Errorf("%d bodies are not closed; beneath the error lie %v", open, typed.Unwrap())
				}
				if strings.Contains(err.Error(), token) || strings.ContainsAny(err.Error(), "\r\n\x1b") ||
					strings.Contains(err.Error(), "secret") {
					t.Errorf("the token, a secret or a line break is in the error: %v", err)
				}
				if len(w.sent()) != 1 {
					t.Errorf("%d attempts, want 1", len(w.sent()))
				}
			})
		})
	}
}

// The status of an answer decides even if its body, which only explains it, never ends.
func TestAStatusCountsWithoutItsBody(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		want   string // what has been sent 14 s after the registration
		kind   error
	}{
		"unknown node": {answer{status: 404}, "register heartbeat register heartbeat", registration.ErrUnknownNode},
		"refused":      {answer{status: 422}, "register heartbeat", registration.ErrRefused},
		"unauthorized": {answer{status: 401}, "register heartbeat", registration.ErrUnauthorized},
		"to be left alone": {
			answer{status: 503, header: http.Header{"Retry-After": {"30"}}},
			"register heartbeat",
			registration.ErrUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n == 1 {
						a := test.answer
						a.stalls = true
						return a
					}
					return answer{}
				}}
				c := config(t, w)
				var first error
				c.OnEvent = func(e registration.Event) {
					if first == nil {
						first = e.Err
					}
				}
				node := beating(t, c, ready)
				time.Sleep(14 * time.Second)
				synctest.Wait()
				if w.ops() != test.want || !errors.Is(first, test.kind) {
					t.Errorf("sent %s, want %s; error is %v", w.ops(), test.want, first)
				}
				node.Deregister(t.Context())
			})
		})
	}
}

func TestAnErrorSaysForHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, request) answer {
			return answer{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"7"}}}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		node := newNode(t, config(t, w))
		err := node.Register(ctx)
		var e *registration.Error
		if !errors.As(err, &e) || e.RetryAfter != 7*time.Second {
			t.Errorf("the error is %v, want one with a RetryAfter of 7s", err)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
