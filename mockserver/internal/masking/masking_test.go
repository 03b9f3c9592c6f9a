package masking_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/internal/masking"
)

// TestSpelledSecrets has a text repeat a credential of the request, as it is or escaped.
func TestSpelledSecrets(t *testing.T) {
	const long = "0123456789abcdef-ghijklmnop"
	for _, test := range []struct{ secret, text, want string }{
		{"hunter2", "a hunter2 b hunter2", "a ******* b *******"},
		{"hunter2", "hunterhunter2", "hunter*******"},
		{"hunter2", "hunter", "hunter"},
		{"abab", "ababab", "****ab"},
		{"abc", "abc", "abc"}, // too short to be one
		{`a"b\c`, `["a\"b\\c"]`, `["*******"]`},
		{`a"b\c`, `["\"a\\\"b\\\\c\""]`, `["\"***********\""]`},
		{"a<b>", "\"a\\u003cb\\u003E\"", `"**************"`},
		{"100%", "100%25", "****25"},
		{"100%25", "100%25", "******"},
		{"a/b c", "/v2/a%2Fb%20c/", "/v2/*********/"},
		{"abcd", `\nabcd`, `\n****`},
		{"abcd", `%`, `%`},
		{"abcd", `abc%6`, `abc%6`},
		{"abcd", `abc\u006`, `abc\u006`},
		{"abcd", `abc\u0064`, `*********`},
		{long, "is " + long[:16], "is ****************"}, // cut off on the way
		{long, "is " + long[:15], "is " + long[:15]},
		{"****", "is **** %", "is **** %"}, // which is what hides others
	} {
		header := http.Header{"Authorization": {"Bearer " + test.secret}}
		if got := masking.Text(test.text, header, ""); got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.secret, test.text, got, test.want)
		}
	}
}

// TestRequestsSecrets has a text repeat what a header or the query of its request carries.
func TestRequestsSecrets(t *testing.T) {
	header := http.Header{"X-Api-Key": {"hunter2"}}
	const text, want = "/v2/nodes/hunter2/0123/me", "/v2/nodes/*******/****/me"
	if got := masking.Text(text, header, "a=b&To%6ben=0123"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	const odd, wantOdd = "token=0123&a=b;key=%zz&?", "/v2/nodes/hunter2/****/me"
	if got := masking.Text(text, nil, odd); got != wantOdd {
		t.Errorf("got %q, want %q", got, wantOdd)
	}
}

// TestMaskedJSON has credentials in JSON, which stays what it is but for them.
func TestMaskedJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"token":"abcdef","ready":true}`:            `{"token":"******","ready":true}`,
		`{"tokens_per_second":12.5,"slots_free":3}`:  `{"tokens_per_second":"**","slots_free":3}`,
		`{"token":null,"secret":true,"key":{}}`:      `{"token":null,"secret":true,"key":{}}`,
		`{"keys":[1234,"ab"],"x":"y"}`:               `{"keys":["**","**"],"x":"y"}`,
		`{"node_id":"n","pools":["pool-0"]}`:         `{"node_id":"n","pools":["pool-0"]}`,
		`{"at":"http://a:b@c","x":"a@b"}`:            `{"at":"http://***@c","x":"a@b"}`,
		`{"passes": [ ], "a": {"auth" : "x"} }`:      `{"passes": [ ], "a": {"auth" : "*"} }`,
		"{\"secret\"\n:\r\n\"abc\",\"x\":\"y\"}":     "{\"secret\"\n:\r\n\"***\",\"x\":\"y\"}",
		`{"pass\u0077ord":"a","\u0074oken":"b"}`:     `{"pass\u0077ord":"*","\u0074oken":"*"}`,
		`{"token (old)":"a","key:":"b","auth=":"c"}`: `{"token (old)":"*","key:":"*","auth=":"*"}`,
		`{"a:b":"c","my key, too":["d"],"e":":"}`:    `{"a:b":"c","my key, too":["*"],"e":":"}`,
		`{"x":"Bearer abc","y":"a Bearer b"}`:        `{"x":"Bearer ***","y":"a Bearer b"}`,
		`{"address":"http://keyboard-1:9200"}`:       `{"address":"http://keyboard-1:9200"}`,
		`{"x":"my key: 1234","y":"pass=12"}`:         `{"x":"my key: ****","y":"pass=**"}`,
		`{"x":"{\"token\": 1234}"}`:                  `{"x":"{\"token\": ****}"}`,
		`{"x":"{\"user \\\"token\\\"\": \"ab\"}"}`:   `{"x":"{\"user \\\"token\\\"\": \"**\"}"}`,
	} {
		if got := masking.Text(body, nil, ""); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s becomes %s, want %s", body, got, want)
		}
	}
}

// FuzzFields puts a credential into texts of all kinds. In JSON it is masked, and JSON stays JSON.
func FuzzFields(f *testing.F) {
	f.Add(`{"a":1,`, `}`)
	f.Add(`[{"key":`, `:"=]}`)
	f.Add(`token=`, `\"`)
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before) > 2000 || len(after) > 2000 || strings.Contains(before+"|"+after, "0123456789") {
			return
		}
		text := before + `"api_token":"0123456789"` + after
		got := masking.Text(text, nil, "")
		if len(got) != len(text) {
			t.Fatalf("%q becomes %q", text, got)
		}
		if json.Valid([]byte(text)) && (!json.Valid([]byte(got)) || strings.Contains(got, "0123456789")) {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}
