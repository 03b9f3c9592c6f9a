package registration_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func TestATokenIsReplacedWhileTheNodeRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		put := func(token string) {
			if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
				t.Error(err)
			}
		}
		put("the-first-token-long-enough-to-be-good")
		// Orchestratord knows first: a heartbeat has the old token still, and is
		// repeated at once with the new one if that is in place by then.
		w := &wire{answer: func(n int, r request) answer {
			if n == 3 {
				put("the-second-token-long-enough-to-be-good")
			}
			if strings.Contains(r.header.Get("Authorization"), "first") && n >= 3 {
				return answer{status: http.StatusUnauthorized}
			}
			return answer{}
		}}
		c := config(t, w)
		c.APIToken = registration.TokenFile(file)
		node := beating(t, c, ready)
		time.Sleep(30 * time.Second)
		beats := w.of("heartbeat")
		if len(beats) != 4 || !beats[2].at.Equal(beats[3].at) {
			t.Errorf("%d heartbeats, want the third repeated at once", len(beats))
		}
		if err := node.Deregister(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Whoever replaces a token that is refused does not wait for the next request.
func TestANewTokenIsTriedAtOnce(t *testing.T) {
	const planned = 11250 * time.Millisecond
	same := func(context.Context) (string, error) { return token, nil }
	for name, test := range map[string]struct {
		refused string                                    // of the heartbeat
		source  func(ctx context.Context) (string, error) // after three seconds
		want    time.Duration                             // from the refusal until the next request is due
	}{
		"another one": {
			token, func(context.Context) (string, error) { return "another-" + token, nil }, 3 * time.Second,
		},
		"the same": {token, same, planned},
		"none": {
			token, func(context.Context) (string, error) { return "", errors.New("no vault") }, planned,
		},
		"none in time": {
			token, func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }, planned,
		},
		"one after none":           {"", same, 3 * time.Second},
		"one after a broken token": {token[:9] + "\n", same, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ request) answer {
					if n == 1 {
						return answer{status: http.StatusUnauthorized}
					}
					return answer{}
				}}
				var seen recorder
				begin := time.Now()
				c := config(t, w)
				c.OnEvent = seen.add
				c.APIToken = func(ctx context.Context) (string, error) {
					switch passed := time.Since(begin); {
					case passed > 3*time.Second:
						return test.source(ctx)
					case passed > 0:
						return test.refused, nil
					}
					return token, nil
				}
				node := beating(t, c, ready)
				time.Sleep(30 * time.Second)
				node.Stop(t.Context())
				if next := seen.events[2].Due.Sub(seen.events[1].Time); next != test.want {
					t.Errorf("the request after the refusal was due after %v, want %v", next, test.want)
				}
			})
		})
	}
}

// A request that is refused is repeated at once if the source has another token by then, or none any more.
func TestARefusedRequestIsRepeatedWithAnotherToken(t *testing.T) {
	for _, test := range []struct{ first, second, sent string }{
		{"a", "b", "a b"}, {"a", "", "a -"}, {"", "b", "- b"}, {"a", "a", "a"}, {"", "", "-"}, {"a", "\n", "a"},
	} {
		w := &wire{answer: func(int, request) answer { return answer{status: http.StatusUnauthorized} }}
		c := config(t, w)
		calls := 0
		c.APIToken = func(context.Context) (string, error) {
			if calls++; calls == 1 {
				return test.first, nil
			}
			return test.second, nil
		}
		if err := newNode(t, c).Register(t.Context()); !errors.Is(err, registration.ErrUnauthorized) {
			t.Errorf("error is %v", err)
		}
		var sent []string
		for _, r := range w.sent() {
			sent = append(sent, cmp.Or(strings.TrimPrefix(r.header.Get("Authorization"), "Bearer "), "-"))
		}
		if got := strings.Join(sent, " "); got != test.sent {
			t.Errorf("with %q and then %q, %s was sent, want %s", test.first, test.second, got, test.sent)
		}
	}
}

func TestAMissingTokenFileIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		c := config(t, &wire{})
		c.APIToken = registration.TokenFile(file)
		go func() {
			time.Sleep(10 * time.Second)
			os.WriteFile(file, []byte("\n"), 0o600) // created, and written some time later
			time.Sleep(20 * time.Second)
			os.WriteFile(file, []byte(" \t"+token+" \r\n"), 0o600)
		}()
		begin := time.Now()
		if err := newNode(t, c).Register(t.Context()); err != nil || time.Since(begin) < 30*time.Second {
			t.Errorf("registered after %v with error %v", time.Since(begin), err)
		}
	})
}

func TestATokenThatCannotBeSentIsTerminal(t *testing.T) {
	for _, bad := range []string{
		token + "\n" + token, " \n", token + " " + token, token + "\x00", token + "\x7f", token + "é",
	} {
		w := &wire{}
		c := config(t, w)
		c.APIToken = registration.StaticToken(bad)
		err := newNode(t, c).Register(t.Context())
		if !errors.Is(err, registration.ErrUnauthorized) || strings.Contains(err.Error(), token) || len(w.sent()) != 0 {
			t.Errorf("error is %v after %d requests, want ErrUnauthorized, without the token, after none", err,
				len(w.sent()))
		}
	}
}

// All printable characters of ASCII can be sent, and a token that is empty is none.
func TestTokensThatCanBeSent(t *testing.T) {
	for _, good := range []string{"!" + token + "~", " " + token + "\n", "\t" + token + "\r\n"} {
		w := &wire{}
		c := config(t, w)
		c.APIToken = registration.StaticToken(good)
		registered(t, c)
		if got := w.sent()[0].header.Get("Authorization"); got != "Bearer "+strings.TrimSpace(good) {
			t.Errorf("%q is sent as %q", good, got)
		}
	}
	if registration.StaticToken("") != nil {
		t.Error("no token has a source")
	}
}

// The source of a token that is refused is asked every second, that of a good one once per request.
func TestHowOftenATokenSourceIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const change = 20500 * time.Millisecond // the heartbeat at 15 s is refused
		begin := time.Now()
		w := &wire{answer: func(n int, r request) answer {
			if n > 1 && !strings.HasSuffix(r.header.Get("Authorization"), "new") {
				return answer{status: http.StatusUnauthorized}
			}
			return answer{}
		}}
		calls := 0
		c := config(t, w)
		c.RegisterEvery = -1
		c.APIToken = func(context.Context) (string, error) {
			if calls++; time.Since(begin) >= change {
				return token + "new", nil
			}
			return token, nil
		}
		node := beating(t, c, ready)
		time.Sleep(time.Minute)
		synctest.Wait()
		if looks := calls - len(w.sent()); looks != 1+6 { // one of them at the refusal itself
			t.Errorf("the source was asked %d times beside the %d requests", looks, len(w.sent()))
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestATokenSourceThatPanicsIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t, &wire{})
		calls := 0
		c.APIToken = func(context.Context) (string, error) {
			if calls++; calls == 1 {
				panic(token)
			}
			return token, nil
		}
		if err := newNode(t, c).Register(t.Context()); err != nil || calls != 2 {
			t.Errorf("error %v after %d calls", err, calls)
		}
	})
}

func TestATokenThatIsNotReplacedIsNotTriedTwice(t *testing.T) {
	for name, second := range map[string]error{"the same again": nil, "none any more": errors.New("no vault")} {
		w := &wire{answer: func(int, request) answer { return answer{status: http.StatusUnauthorized} }}
		c := config(t, w)
		calls := 0
		c.APIToken = func(context.Context) (string, error) {
			if calls++; calls > 1 && second != nil {
				return "", second
			}
			return token, nil
		}
		if err := newNode(t, c).Register(t.Context()); !errors.Is(err, registration.ErrUnauthorized) ||
			len(w.sent()) != 1 {
			t.Errorf("%s: error is %v after %d requests, want ErrUnauthorized after 1", name, err, len(w.sent()))
		}
	}
}

// What a limit leaves of a token is not recognised as one.
func TestALongEchoOfTheTokenIsNotShown(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 2<<10)
	w := &wire{answer: func(int, request) answer { return plain(http.StatusUnauthorized, long+" "+long+" "+long) }}
	c := config(t, w)
	c.APIToken = registration.StaticToken(long)
	if err := newNode(t, c).Register(t.Context()); !errors.Is(err, registration.ErrUnauthorized) ||
		strings.Contains(err.Error(), "0123") {
		t.Errorf("error is %v, want ErrUnauthorized without any of the token", err)
	}
}

func TestAWeakTokenIsWarnedAboutOnce(t *testing.T) {
	for bytes, warnings := range map[int]int{0: 0, 1: 1, 31: 1, 32: 0} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			c := config(t, &wire{})
			c.APIToken = registration.StaticToken(token[:bytes])
			c.Logger = slog.New(slog.NewTextHandler(&out, nil))
			node := beating(t, c, ready)
			time.Sleep(time.Minute)
			node.Deregister(t.Context())
			if n := strings.Count(out.String(), "32 bytes"); n != warnings {
				t.Errorf("warned %d times of %d bytes, want %d", n, bytes, warnings)
			}
		})
	}
}

func TestNoTokenInWhatIsPrinted(t *testing.T) {
	c := config(t, &wire{answer: func(int, request) answer {
		return answer{status: 401, body: `{"detail":"` + token + `"}`}
	}})
	node := newNode(t, c)
	err := node.Register(context.Background())
	var typed *registration.Error
	errors.As(err, &typed)
	for _, value := range []any{c, &c, node, *typed, typed, err} {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			if strings.Contains(fmt.Sprintf(verb, value), token) {
				t.Errorf("%s of a %T shows the token", verb, value)
			}
		}
	}
}

// What lies beneath an error is found, but not printed if it holds the token.
func TestACauseWithTheTokenIsFoundAndNotPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, request) answer {
			return answer{err: fmt.Errorf("cannot send %s: %w", token, io.ErrUnexpectedEOF)}
		}}
		var seen recorder
		c := config(t, w)
		c.OnEvent = seen.add
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		node := newNode(t, c)
		node.Register(ctx)
		node.Stop(t.Context())
		var failed *registration.Error
		if err := seen.events[0].Err; !errors.As(err, &failed) || !errors.Is(err, io.ErrUnexpectedEOF) ||
			errors.Is(err, io.EOF) {
			t.Fatalf("error is %v, want one with %v beneath", err, io.ErrUnexpectedEOF)
		}
		for _, beneath := range failed.Unwrap() {
			for ; beneath != nil; beneath = errors.Unwrap(beneath) {
				if strings.Contains(beneath.Error(), token) {
					t.Errorf("beneath the error is %v", beneath)
				}
			}
		}
	})
}

// Servers, proxies and libraries echo a token in their own way, and one within the other.
func TestATokenIsRedactedHoweverItIsEscaped(t *testing.T) {
	const secret = `x78"q\\"r\s/t<u&v'w%41-0123456789abcdef`
	inJSON, _ := json.Marshal(secret)
	unicode := ""
	for _, r := range secret {
		unicode += fmt.Sprintf(`\u%04x`, r)
	}
	for name, echo := range map[string]string{
		"as it is":        secret,
		"quoted":          fmt.Sprintf("%q", secret),
		"quoted thrice":   fmt.Sprintf("%q", fmt.Sprintf("%q", fmt.Sprintf("%q", secret))),
		"JSON":            string(inJSON),
		"JSON, quoted":    fmt.Sprintf("%q", inJSON),
		"JSON of PHP":     strings.ReplaceAll(string(inJSON), "/", `\/`),
		"JSON of ASCII":   unicode,
		"query":           url.QueryEscape(secret),
		"path":            url.PathEscape(secret),
		"path, lower":     strings.ToLower(url.PathEscape(secret)),
		"path, twice":     url.PathEscape(url.PathEscape(secret)),
		"HTML":            html.EscapeString(secret),
		"Python's quotes": strings.ReplaceAll(strings.ReplaceAll(secret, `\`, `\\`), `'`, `\'`),
	} {
		c := config(t,
			&wire{answer: func(int, request) answer { return plain(http.StatusBadRequest, "no "+echo+" here") }})
		c.APIToken = registration.StaticToken(secret)
		var refusal *registration.Error
		if err := newNode(t, c).Register(t.Context()); !errors.As(err, &refusal) ||
			!strings.HasPrefix(refusal.Detail, "no ") || strings.Contains(refusal.Detail, "abcdef") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, short := range []string{"t", "token", "%", `\`} {
		c := config(t,
			&wire{answer: func(int, request) answer { return plain(http.StatusBadRequest, "1 "+short+" 2") }})
		c.APIToken = registration.StaticToken(short)
		if err := newNode(t, c).Register(t.Context()); !strings.Contains(err.Error(), ": 1 [token] 2 (") {
			t.Errorf("%s: %v", short, err)
		}
	}
}

// Each request is found in the logs under an id of its own, also the second of one attempt.
func TestTheRequestWithTheNewTokenHasAnIDOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ request) answer {
			if n == 0 {
				return answer{status: http.StatusUnauthorized}
			}
			return answer{}
		}}
		c := config(t, w)
		reads := 0
		c.APIToken = func(context.Context) (string, error) { reads++; return fmt.Sprint(token, reads), nil }
		node := registered(t, c)
		sent := w.of("register")
		if ids := []string{
			sent[0].header.Get("X-Correlation-Id"),
			sent[1].header.Get("X-Correlation-Id"),
		}; ids[0] == ids[1] || ids[1] == "" {
			t.Errorf("the requests have the ids %q", ids)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
