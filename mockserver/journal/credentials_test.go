package journal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// TestCredentials sends credentials of every kind, and the answer repeats each. None is in what
// the journal says.
func TestCredentials(t *testing.T) {
	long := strings.Repeat("x", 1000) + "_token"
	for _, test := range []struct {
		name   string
		header http.Header
		query  string
		body   string
		secret string
	}{
		{name: "scheme", header: http.Header{"Authorization": {"Token s3cr3t"}}, secret: "s3cr3t"},
		{
			name:   "scheme and parameters",
			header: http.Header{"Authorization": {`AWS4-HMAC-SHA256 Credential=AKIA/2026, Signature=s3cr3t`}},
			secret: "s3cr3t",
		},
		{
			name: "password in base64", header: http.Header{"Authorization": {"Basic Ym9iOnMzY3IzdA=="}},
			secret: "s3cr3t",
		},
		{name: "scheme in another header", header: http.Header{"X-Forwarded-By": {"Bearer s3cr3t"}}, secret: "s3cr3t"},
		{name: "cookies", header: http.Header{"Cookie": {`theme=dark; sid="s3cr3t"; a=b`}}, secret: "s3cr3t"},
		{name: "jwt", header: http.Header{"X-Jwt": {"s3cr3t"}}, secret: "s3cr3t"},
		{name: "passphrase", header: http.Header{"X-Passphrase": {"s3cr3t words"}}, secret: "s3cr3t words"},
		{
			name: "query in a header", header: http.Header{"Referer": {"http://host/?access_token=s3cr3t&a=b"}},
			secret: "s3cr3t",
		},
		{name: "query", query: "api_key=s3cr3t", secret: "s3cr3t"},
		{name: "field", body: `{"node_id":"n","api_token":"s3cr3t"}`, secret: "s3cr3t"},
		{name: "field with an escape", body: `{"password":"s3\"cr3t"}`, secret: `s3"cr3t`},
		{name: "number", body: `{"passcode": 271828182}`, secret: "271828182"},
		{name: "list", body: `{"jwts":["x", "s3cr3t", {"a":"b"}]}`, secret: "s3cr3t"},
		{name: "object", body: `{"auth":{"user":"bob","value":["s3cr3t"]},"z":1}`, secret: "s3cr3t"},
		{name: "scheme in a field", body: `{"authorization":"Bearer s3cr3t"}`, secret: "s3cr3t"},
		{name: "field in a string", body: `{"note":"{\"sessionId\":\"s3cr3t\"}"}`, secret: "s3cr3t"},
		{name: "cut off", body: `{"bearer":"s3cr3t`, secret: "s3cr3t"},
		{name: "form", body: `user=bob&client_secret=s3cr3t&x=y`, secret: "s3cr3t"},
		{name: "header in a text", body: "Authorization: Bearer s3cr3t\nHost: x", secret: "s3cr3t"},
		{name: "URL", body: `{"address":"http://bob:s3cr3t@host:9200"}`, secret: "s3cr3t"},
		{name: "URL without a name", body: `see https://s3cr3t@host`, secret: "s3cr3t"},
		{name: "URL with escapes", body: `{"at":"http:\/\/bob:s3%22cr3t@host"}`, secret: `s3"cr3t`},
		{name: "URL in a header", header: http.Header{"Referer": {"http://bob:s3cr3t@host/"}}, secret: "s3cr3t"},
		{
			name: "URL in a common header", header: http.Header{"User-Agent": {"a (http://bob:s3cr3t@host)"}},
			secret: "s3cr3t",
		},
		{name: "URL in a query", query: "to=http%3A%2F%2Fbob:s3cr3t%40host", secret: "s3cr3t"},
		{name: "YAML", body: "secret-key: s3cr3t\n", secret: "s3cr3t"},
		{name: "name with an escape", body: `{"pass\u0077ord":"s3cr3t"}`, secret: "s3cr3t"},
		{name: "name with other characters", body: `{"token (old):":"s3cr3t"}`, secret: "s3cr3t"},
		{name: "name on a line of its own", body: "{\"token\"\r\n:\n\"s3cr3t\"}", secret: "s3cr3t"},
		{name: "scheme in any field", body: `{"note":"Bearer s3cr3t"}`, secret: "s3cr3t"},
		{name: "Ruby", body: `{"token" => "s3cr3t"}`, secret: "s3cr3t"},
		{name: "form with brackets", body: `user[password]=s3cr3t`, secret: "s3cr3t"},
		{name: "form with escapes", body: `user%5Bp%61ssword%5D=s3cr3t`, secret: "s3cr3t"},
		{name: "query with other characters", query: "token=,s3cr3t", secret: ",s3cr3t"},
		{name: "query with a semicolon", query: "token=;s3cr3t", secret: ";s3cr3t"},
		{name: "query in a query", query: "to=http%3A%2F%2Fhost%2F%3Fto%256ben%3Ds3cr3t", secret: "s3cr3t"},
		{name: "JSON in a query", query: "a=%7B%22password%22%3A%22s3cr3t%22%7D", secret: "s3cr3t"},
		{name: "scheme and a tab", header: http.Header{"Authorization": {"Bearer\ts3cr3t"}}, secret: "s3cr3t"},
		{name: "user in base64", header: http.Header{"Authorization": {"Basic czNjcjN0Og=="}}, secret: "s3cr3t"},
		{
			name: "password in base64 without padding", header: http.Header{"Authorization": {"Basic Ym9iOnBhNTU"}},
			secret: "pa55",
		},
		{name: "field in a common header", header: http.Header{"User-Agent": {"a; token=s3cr3t"}}, secret: "s3cr3t"},
		{
			name: "field and a colon in a common header", header: http.Header{"User-Agent": {"a 10:30; token:s3cr3t"}},
			secret: "s3cr3t",
		},
		{
			name: "field with escapes in a common header", header: http.Header{"Traceparent": {"token%3As3cr3t"}},
			secret: "s3cr3t",
		},
		{
			name: "scheme in quotes in a common header", header: http.Header{"User-Agent": {`"Bearer s3cr3t"`}},
			secret: "s3cr3t",
		},
		{name: "field and a colon in a date", header: http.Header{"Date": {"key1:s3cr3t"}}, secret: "s3cr3t"},
		{name: "scheme in quotes", header: http.Header{"X-Note": {`"Bearer s3cr3t"`}}, secret: "s3cr3t"},
		{name: "field with escapes in a header", header: http.Header{"X-Note": {"token%3As3cr3t"}}, secret: "s3cr3t"},
		{name: "query with a colon", query: "a&token:s3cr3t", secret: "s3cr3t"},
		{name: "query with a colon that is escaped", query: "token%3As3cr3t", secret: "s3cr3t"},
		{name: "long name of a header", header: http.Header{"X-" + long: {"s3cr3t"}}, secret: "s3cr3t"},
		{name: "long name of a parameter", query: long + "=s3cr3t", secret: "s3cr3t"},
		{name: "long name of a field", body: `{"` + long + `":"s3cr3t"}`, secret: "s3cr3t"},
		{name: "long name in a form", body: "user=bob&" + long + "=s3cr3t", secret: "s3cr3t"},
		{
			name: "long name behind the word", body: "user=bob&token" + strings.Repeat("x", 200) + "=s3cr3t",
			secret: "s3cr3t",
		},
		{name: "scheme in a common header", header: http.Header{"Accept": {"Bearer s3cr3t"}}, secret: "s3cr3t"},
	} {
		events := journal.New(1)
		events.Exchange(journal.Exchange{
			At: epoch, Method: http.MethodPost, Path: "/v2/nodes/" + test.secret, RequestHeader: test.header,
			Query:       test.query,
			RequestBody: []byte(test.body), Status: 422, AnswerBody: []byte("no " + test.secret),
			CorrelationID: test.secret,
			Departures:    []drift.Departure{{Pointer: "/" + test.secret, Got: test.secret}},
		})
		entry, _ := events.Entry(1)
		if entry.CorrelationID != nil {
			t.Errorf("%s: a credential is kept as the id %s", test.name, *entry.CorrelationID)
		}
		for _, text := range texts(entry) {
			if strings.Contains(text, test.secret) {
				t.Errorf("%s: %q is kept in %q", test.name, test.secret, text)
			}
		}
	}
}

// TestAttributesOfCookies has a cookie whose attributes are words that are anywhere.
func TestAttributesOfCookies(t *testing.T) {
	events := journal.New(1)
	events.Exchange(journal.Exchange{
		Path: "/v2/nodes", AnswerBody: []byte("s3cr3t, Strict"),
		AnswerHeader: http.Header{"Set-Cookie": {"sid=s3cr3t; Path=/v2/nodes; SameSite=Strict"}},
	})
	entry, _ := events.Entry(1)
	if path, answer := entry.Request.Path, entry.Answer.Body.Text; path != "/v2/nodes" || answer != "******, Strict" {
		t.Errorf("%s and %s are kept", path, answer)
	}
}

// TestURLs has URLs with credentials where nothing else is searched for: in a body that the
// document vouches for, in an answer, in a path, and where the journal stops to keep.
func TestURLs(t *testing.T) {
	const kept = 4096
	for name, e := range map[string]journal.Exchange{
		"registration": {
			RequestBody: []byte(`{"address":"http://bob:s3cr3t@host"}`), Vetted: true, AnswerBody: []byte("no s3cr3t"),
		},
		"answer": {
			AnswerBody: []byte(`{"nodes":[{"address":"http://bob:s3cr3t@host"}]}`), Remark: "a list with s3cr3t",
		},
		"path": {Path: "/v2/nodes/http:%2f%2fbob:s3cr3t@host"},
		"cut off": {
			RequestBody: []byte(strings.Repeat(" ", kept-len("://bob:s3cr3")) + "://bob:s3cr3t@host"), Vetted: true,
		},
	} {
		events := journal.New(1)
		events.Exchange(e)
		entry, _ := events.Entry(1)
		for _, text := range texts(entry) {
			if strings.Contains(text, "s3cr") {
				t.Errorf("%s: a password is kept in %q", name, strings.TrimSpace(text))
			}
		}
	}
}

// TestCredentialThatIsNotKept has more headers than the journal keeps, one of them a credential.
func TestCredentialThatIsNotKept(t *testing.T) {
	header := http.Header{"X-Api-Key": {"s3cr3t"}}
	for i := range 40 {
		header[fmt.Sprint("X-", i)] = []string{strings.Repeat("x", 480)}
	}
	for range 5 { // in another order each
		events := journal.New(1)
		events.Exchange(journal.Exchange{RequestHeader: header, RequestBody: []byte("no s3cr3t")})
		if entry, _ := events.Entry(1); strings.Contains(entry.Request.Body.Text, "s3cr3t") {
			t.Errorf("it is kept in %q", entry.Request.Body.Text)
		}
	}
}

// TestCredentialBehindOtherValues has a credential behind values of its header that are long, and some just as long
// as the journal keeps.
func TestCredentialBehindOtherValues(t *testing.T) {
	for length := range 600 {
		events := journal.New(1)
		events.Exchange(journal.Exchange{
			RequestHeader: http.Header{"X-Note": {strings.Repeat("x", length), "Bearer s3cr3t"}},
			AnswerBody:    []byte("no s3cr3t"),
		})
		if entry, _ := events.Entry(1); strings.Contains(entry.Answer.Body.Text, "s3cr3t") {
			t.Errorf("behind %d bytes: it is kept in %q", length, entry.Answer.Body.Text)
		}
	}
}

// TestRelayed has another orchestratord answer with a credential.
func TestRelayed(t *testing.T) {
	events := journal.New(1)
	events.Exchange(journal.Exchange{
		Relayed: true, AnswerBody: []byte(`{"token":"s3cr3t"}`), AnswerHeader: http.Header{"X-Note": {"s3cr3t"}},
		AnswerDepartures: []drift.Departure{{Pointer: "/token", Got: "s3cr3t"}},
	})
	entry, _ := events.Entry(1)
	for _, text := range texts(entry) {
		if strings.Contains(text, "s3cr3t") {
			t.Errorf("it is kept in %q", text)
		}
	}
}

// TestShortCredentials has some that are too short to be recognised elsewhere.
func TestShortCredentials(t *testing.T) {
	for name, e := range map[string]journal.Exchange{
		"query":   {Query: "token=q7z"},
		"path":    {Path: "/v2/nodes/token=q7z"},
		"body":    {RequestBody: []byte(`{"token":"q7z"}`)},
		"relayed": {AnswerBody: []byte(`{"token":"q7z"}`), Relayed: true},
		"header":  {RequestHeader: http.Header{"X-Note": {"token=q7z"}}},
		"URL":     {RequestBody: []byte(`{"address":"http://bob:q7z@host"}`), Vetted: true},
	} {
		events := journal.New(1)
		events.Exchange(e)
		entry, _ := events.Entry(1)
		for _, text := range texts(entry) {
			if strings.Contains(text, "q7z") {
				t.Errorf("%s: it is kept in %q", name, text)
			}
		}
	}
}

// TestTextsThatAreNoJSON has values that are anywhere behind their names.
func TestTextsThatAreNoJSON(t *testing.T) {
	for body, want := range map[string]string{
		"<a><password>s3cr3t</password></a>":               "<a><password**********************",
		"name=\"token\"\r\n\r\ns3cr3t":                     "name=\"token***********",
		"node,password\nn,s3cr3t":                          "node,password*********",
		"keys:\n  - s3cr3t":                                "keys************",
		"node: n\nauth:\n  pin: s3cr3t":                    "node: n\nauth***************",
		"\ufeff {\"passes\":1234,\"slots\":[1]}":           "\ufeff {\"passes\":\"**\",\"slots\":[1]}",
		"{\x00\"\x00p\x00w\x00":                            "********",
		"this says nothing of the kind, it is merely text": "this says nothing of the kind, it is merely text",
	} {
		events := journal.New(1)
		events.Exchange(journal.Exchange{RequestBody: []byte(body)})
		if entry, _ := events.Entry(1); entry.Request.Body.Text != want {
			t.Errorf("%q is kept as %q, want %q", body, entry.Request.Body.Text, want)
		}
	}
}

// TestTooManyCredentials sends more than are looked for.
func TestTooManyCredentials(t *testing.T) {
	header := http.Header{}
	for c := range 100 {
		header.Add("X-Token", strings.Repeat(string(rune('A'+c)), 8))
	}
	events := journal.New(1)
	last := header["X-Token"][99]
	events.Exchange(journal.Exchange{
		Path: "/" + last, Node: last, RequestHeader: header, RequestBody: []byte(last), AnswerBody: []byte(last),
	})
	entry, _ := events.Entry(1)
	for _, text := range texts(entry) {
		if strings.Contains(text, last) {
			t.Errorf("%q is kept in %q", last, text)
		}
	}
}
