package journal_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

func TestHeaderRedaction(t *testing.T) {
	events := journal.New(1)
	events.Exchange(journal.Exchange{
		RequestHeader: http.Header{
			"Authorization":       {"Bearer abcdef"},
			"Proxy-Authorization": {"basic abcdef"},
			"authorization":       {"abcdef"},
			"Cookie":              {"a=b", "c=d"},
			"X-Api-Key":           {"abcdef"},
			"X-Auth-Token":        {"Bearer"},
			"X-Vault":             {"Bearer abcdef"},
			"Content-Type":        {"text/plain"},
			"Accept":              {"a", "b"},
			"User-Agent":          {"a/1:2 (http://host:9200; rv:109) 10:12:30"},
			"Date":                {"Mon, 30 Nov 2026 10:38:33 GMT"},
			"Host-Keys":           {""},
		},
		AnswerHeader: http.Header{
			"Set-Cookie":       {"id=abcdef"},
			"Www-Authenticate": {`Bearer realm="orchestratord", error_description="token: expired"`},
		},
	})
	entry, _ := events.Entry(1)
	want := control.HeaderRecord{
		"Authorization":       "Bearer ***",
		"Proxy-Authorization": "basic ***",
		"authorization":       "***",
		"Cookie":              "***, ***",
		"X-Api-Key":           "***",
		"X-Auth-Token":        "***",
		"X-Vault":             "Bearer ***",
		"Content-Type":        "text/plain",
		"Accept":              "a, b",
		"User-Agent":          "a/1:2 (http://host:9200; rv:109) 10:12:30",
		"Date":                "Mon, 30 Nov 2026 10:38:33 GMT",
		"Host-Keys":           "***",
	}
	if diff := cmp.Diff(want, *entry.Request.Header); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	want = control.HeaderRecord{
		"Set-Cookie":       "***",
		"Www-Authenticate": `Bearer realm="orchestratord", error_description="token: expired"`,
	}
	if diff := cmp.Diff(want, *entry.Answer.Header); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// TestAuthorization keeps the ways to authenticate that are well known, and nothing else.
func TestAuthorization(t *testing.T) {
	for value, want := range map[string]string{
		"bearer abcdef":          "bearer ***",
		"Token abcdef":           "Token ***",
		"NTLM":                   "NTLM",
		"Bearer ":                "Bearer ",
		"abcdef 0123456789":      "***",
		"0123456789":             "***",
		"":                       "***",
		"DPoP 0123456789 abcdef": "DPoP ***",
	} {
		events := journal.New(1)
		events.Exchange(journal.Exchange{RequestHeader: http.Header{"Authorization": {value}}})
		entry, _ := events.Entry(1)
		if got := (*entry.Request.Header)["Authorization"]; got != want {
			t.Errorf("%q is kept as %q, want %q", value, got, want)
		}
	}
}

// TestCutSecret has secrets at the place where the journal stops to keep.
func TestCutSecret(t *testing.T) {
	for _, secret := range []string{"0123456789", "0123456789abcdef0123456789abcdef"} {
		for kept := range len(secret) + 1 {
			events := journal.New(1)
			body := strings.Repeat(".", 4096-kept) + secret
			events.Exchange(journal.Exchange{
				RequestHeader: http.Header{"X-Api-Key": {secret}},
				RequestBody:   []byte(body),
			})
			got, _ := events.Entry(1)
			if want := strings.Repeat(".", 4096-kept) + strings.Repeat("*", kept); got.Request.Body.Text != want {
				t.Errorf("%d bytes of the secret are kept as %q", kept, got.Request.Body.Text[4096-kept:])
			}
			events.Exchange(journal.Exchange{RequestHeader: http.Header{
				"X-Api-Key": {secret}, "X-Note": {strings.Repeat(".", 512-len(", ")-kept), secret},
			}})
			got, _ = events.Entry(2)
			if note := (*got.Request.Header)["X-Note"]; strings.Trim(note, "., *") != "" {
				t.Errorf("%d bytes of the secret are kept in a header: %q", kept, note)
			}
		}
	}
}

// TestEscapedSecret has a secret in bodies as clients and proxies escape it.
func TestEscapedSecret(t *testing.T) {
	const secret = `ab+"middle"<end`
	for _, spelling := range []string{
		url.QueryEscape(secret), url.QueryEscape(url.QueryEscape(secret)), html.EscapeString(secret),
		strconv.Quote(secret), strconv.Quote(strconv.Quote(secret)), `ab\x2b\"middle\"\u003cend`,
	} {
		events := journal.New(1)
		events.Exchange(journal.Exchange{
			RequestHeader: http.Header{"X-Api-Key": {secret}}, RequestBody: []byte("a text: " + spelling),
		})
		if got, _ := events.Entry(1); strings.Contains(got.Request.Body.Text, "middle") {
			t.Errorf("%s is kept as %q", spelling, got.Request.Body.Text)
		}
	}
}

// FuzzRedaction sends a secret everywhere, and looks for it in all that the journal returns.
func FuzzRedaction(f *testing.F) {
	f.Add("0123456789abcdef0123456789abcdef", "text", 0)
	f.Add("hunter2", "hunter", 4090)
	f.Add(`a"b\c`, `\`, 1)
	f.Add("100%", "%", 1020)
	f.Add("%25%25", "%25", 2)
	f.Fuzz(func(t *testing.T, secret, text string, padding int) {
		if !sendable(secret) || padding < 0 || padding > 5000 || occurs(secret) {
			return
		}
		checkRedaction(t, secret, text, padding)
	})
}

func TestRedaction_heavy(t *testing.T) {
	race.Skip(t)
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[!-~]{6,40}`).Filter(func(s string) bool { return !occurs(s) }).Draw(t,
			"secret")
		text := rapid.String().Draw(t, "text")
		checkRedaction(t, secret, text, rapid.IntRange(0, 5000).Draw(t, "padding"))
	})
}

func checkRedaction(t interface{ Errorf(string, ...any) }, secret, text string, padding int) {
	escaped, _ := json.Marshal(secret)
	said := strings.Repeat(".", padding) + text + secret + text + url.PathEscape(secret) + strconv.Quote(secret) +
		string(escaped)
	events := journal.New(2)
	e := journal.Exchange{
		Operation: control.OperationHeartbeatNode,
		Node:      secret, CorrelationID: "a" + secret, Method: said, Path: said, Fault: said,
		RequestHeader: http.Header{"Authorization": {"Bearer  " + secret}, "X-Said": {said, said}, secret: {secret}},
		RequestBody:   []byte(said),
		Status:        422,
		AnswerHeader:  http.Header{"X-Said": {said}},
		AnswerBody:    []byte(said),
		Departures:    []drift.Departure{{Pointer: said, Kind: said, Expected: said, Got: said}},
	}
	events.Exchange(e)
	e.RequestHeader = http.Header{"X-Api-Key": {secret}}
	events.Exchange(e)
	result := events.Expect(ended(), control.Expectation{Node: new("gpu-node-1")})
	for _, shown := range []any{
		events.Page(journal.Filter{}, 10), events.Page(journal.Filter{Brief: true}, 10),
		result,
	} {
		for _, at := range texts(shown) {
			if strings.Contains(at, secret) {
				t.Errorf("%q is shown in %q", secret, at)
			}
		}
	}
}

// texts returns all texts in what the journal returns.
func texts(shown any) []string {
	encoded, err := json.Marshal(shown)
	if err != nil {
		panic(err)
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		panic(err)
	}
	var all []string
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case string:
			all = append(all, value)
		case []any:
			for _, item := range value {
				walk(item)
			}
		case map[string]any:
			for name, item := range value {
				all = append(all, name)
				walk(item)
			}
		}
	}
	walk(decoded)
	return all
}

// sendable reports whether a secret can be sent as a bearer token, and is long enough to
// be one.
func sendable(secret string) bool {
	for _, c := range []byte(secret) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return len(secret) >= 4
}

// occurs reports whether a secret is part of what a journal says of its own accord.
func occurs(secret string) bool {
	events := journal.New(2)
	events.Exchange(journal.Exchange{
		Operation: control.OperationHeartbeatNode, Status: 422,
		RequestHeader: http.Header{"Authorization": {"Bearer ****"}, "X-Api-Key": nil, "X-Said": nil},
		Fault:         "fault", Departures: make([]drift.Departure, 1),
	})
	page := events.Page(journal.Filter{}, 10)
	result := events.Expect(ended(), control.Expectation{Node: new("gpu-node-1")})
	said := append(texts(page), texts(result)...)
	return strings.Contains(strings.Join(said, " ")+
		"*************************************,....................., nodedepartures", secret)
}
