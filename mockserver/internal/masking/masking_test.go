package masking_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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
		{"abcd", `\u0061bcd`, `*********`},
		{long, "is " + long[:16], "is ****************"}, // cut off on the way
		{long, "is " + long[:15], "is " + long[:15]},
		{"****", "is **** %", "is **** %"}, // which is what hides others
	} {
		header := http.Header{"Authorization": {"Bearer " + test.secret}}
		if got := masking.Text(test.text, header, ""); got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.secret, test.text, got, test.want)
		}
		secrets := masking.Secrets{}.OfHeader(header)
		if test.want != test.text && !secrets.MayBeIn([]byte(test.text)) {
			t.Errorf("%q in %q: nobody would look for it", test.secret, test.text)
		}
	}
}

// TestRequestsSecrets has a text repeat what a header or the query of its request carries.
func TestRequestsSecrets(t *testing.T) {
	header := http.Header{"X-Api-Key": {"hunter2"}}
	const text, want = "/v2/nodes/hunter2/0123/me?token=a", "/v2/nodes/*******/****/me?token=*"
	if got := masking.Text(text, header, "a=b&To%6ben=0%312%33"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	const odd, wantOdd = "token=0123&a=b;key=%zz&?", "/v2/nodes/hunter2/****/me?token=*"
	if got := masking.Text(text, nil, odd); got != wantOdd {
		t.Errorf("got %q, want %q", got, wantOdd)
	}
}

// TestSecretsOfHeaders has a text repeat a part of a header.
func TestSecretsOfHeaders(t *testing.T) {
	many := slices.Repeat([]string{"hunter2"}, 100)
	for _, test := range []struct {
		name       string
		values     []string
		text, want string
	}{
		{"Authorization", []string{"Custom hunter22"}, "hunter22", "********"},
		{"Authorization", []string{"Custom, hunter22"}, "hunter22", "********"},
		{"Authorization", []string{"Basic aHVudGVyMjpodW50ZXIz"}, "hunter2 hunter3", "hunter2 *******"},
		{"Authorization", []string{"Basic aHVudGVyMg=="}, "hunter2", "*******"},
		{
			"Authorization",
			[]string{`Digest realm="orchestratord", uri="/v2/nodes", response="hunter2", opaque='hunter3'`},
			"orchestratord /v2/nodes hunter2 hunter3",
			"orchestratord /v2/nodes ******* *******",
		},
		{"Authorization", []string{"Bearer hunter2", "Bearer hunter3"}, "hunter2 hunter3", "******* *******"},
		{"Cookie", []string{"a=; b=hunter2; c=hunter3"}, "hunter2 hunter3", "******* *******"},
		{"Set-Cookie", []string{"a=hunter2; Path=/hunter3"}, "hunter2 hunter3", "******* hunter3"},
		{"X-Api-Key", many, "hunter2 is secret", "******* is secret"},
		{"X-Other", []string{"user_pass=hunter2"}, "hunter2", "*******"},
		{"X-Other", []string{"Bearer hunter2"}, "hunter2", "*******"},
		{"X-Other", []string{"Basic hunter2"}, "hunter2", "*******"},
		{"X-Other", []string{"Digest hunter2"}, "hunter2", "*******"},
		{"X-Other", []string{"Negotiate hunter2"}, "hunter2", "*******"},
		{"X-Other", []string{"Bearers hunter2"}, "hunter2", "hunter2"},
		{"X-Other", []string{"Hunter hunter2"}, "hunter2", "hunter2"},
		{"X-Other", []string{"hunter2"}, "hunter2", "hunter2"},
		{"Content-Type", []string{"text/plain"}, "text/plain", "text/plain"},
		{"Www-Authenticate", []string{`Bearer realm="hunter2"`}, "hunter2", "hunter2"},
		{"Referer", []string{"http://hunt%65r2@host/"}, "hunter2", "*******"},
		{
			"Referer",
			[]string{"http://hunter1:hunt%20er2@host/"},
			"hunter1 hunt er2 hunt%20er2",
			"hunter1 ******** **********",
		},
	} {
		if got := masking.Text(test.text, http.Header{test.name: test.values}, ""); got != test.want {
			t.Errorf("%s %.60q: %q becomes %q, want %q", test.name, test.values, test.text, got, test.want)
		}
	}
	for i := range many {
		many[i] = fmt.Sprint("hunter", i)
	}
	if got := masking.Text("words", http.Header{"X-Api-Key": many}, ""); got != masking.Hidden {
		t.Errorf("with more credentials than are looked for, %q is shown", got)
	}
}

// TestMaskedTexts has credentials in texts that are no JSON.
func TestMaskedTexts(t *testing.T) {
	for text, want := range map[string]string{
		"secret_id=abcd x=y":               "secret_id=**** x=y",
		"secret-id=abcd&x=y":               "secret-id=****&x=y",
		"secret.id=abcd;x=y":               "secret.id=****;x=y",
		"secret[id]=abcd":                  "secret[id]=****",
		"secret%5Bid%5D=abcd":              "secret%5Bid%5D=****",
		"secretäöü=abcd":                   "secretäöü=****",
		"secret2=abcd":                     "secret2=****",
		"SECRETZ=abcd":                     "SECRETZ=****",
		"secret id=abcd":                   "secret id=abcd",
		"token%3Dabcd":                     "token%3D****",
		"token%3aabcd":                     "token%3a****",
		"token%20abcd":                     "token%20abcd",
		"token=>abcd":                      "token=>****",
		"http://token:8080/":               "http://token:8080/",
		"key 10:12:30":                     "key 10:12:30",
		"key10:12:30":                      "key10:*****",
		"token: abcd efgh\nx: y":           "token: *********\nx: y",
		"token:\nx: y":                     "token:\nx: y",
		"token=abcd efgh":                  "token=**** efgh",
		"token=Bearer abcd":                "token=***********",
		`token=\`:                          `token=*`,
		`token="a\"b" c`:                   `token="****" c`,
		"token='a b' c":                    "token='***' c",
		`"Bearer abcd"`:                    `"Bearer ****"`,
		`//a\x3ab\x40c`:                    `//******\x40c`,
		"//a<U+005C>x3ab<U+005C>x40c":      "//*************<U+005C>x40c",
		`{"be\u0061rer":"abcd"}`:           `{"be\u0061rer":"****"}`,
		`{"x":"{\"tok\\u0065n\":\"ab\"}"}`: `{"x":"{\"tok\\u0065n\":\"**\"}"}`,
		`{"secret":{"a":{"b":"c"},"d":"e"},"f":"g"}`: `{"secret":{"a":{"b":"*"},"d":"*"},"f":"g"}`,
		`{"secret":[{"a":["b"]},"c"],"f":"g"}`:       `{"secret":[{"a":["*"]},"*"],"f":"g"}`,
		`{"token":7,"x":7}`:                          `{"token":0,"x":7}`,
	} {
		if got := masking.Text(text, nil, ""); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

// TestWords has names of credentials, in the path of a URL too.
func TestWords(t *testing.T) {
	for _, word := range []string{
		"auth", "bearer", "cookie", "credential", "jwt", "key", "pass", "secret", "session", "signature", "token",
	} {
		for _, name := range []string{word, "x-" + strings.ToUpper(word) + "s"} {
			text := "/" + name + "=hunter2"
			want := "/" + name + "=*******"
			if got := masking.Text(text, nil, ""); got != want {
				t.Errorf("%s becomes %s", text, got)
			}
			if secrets := (masking.Secrets{}).OfPath(text); !slices.Contains(secrets, "hunter2") {
				t.Errorf("%s has %q", text, secrets)
			}
		}
	}
}

// TestBehind has a credential anywhere behind its name, in what is no JSON.
func TestBehind(t *testing.T) {
	for text, want := range map[string]string{
		"<password>abcd</password>": "<password****************",
		"node,api_token\n1,abcd":    "node,api_token*******",
		"node,pool\n1,abcd":         "node,pool\n1,abcd",
		"{\"token\":\"abcd\"":       "{\"token\":\"abcd\"",
		"\ufeff [\"token\", 1]":     "\ufeff [\"token\", 1]",
		" \t\r\n":                   " \t\r\n",
		"the token":                 "the token",
		"{\x00\"\x00":               "****",
		"\x00{\x00\"":               "****",
	} {
		masked := []byte(text)
		if found := masking.Behind(masked); string(masked) != want || found != (text != want) {
			t.Errorf("%q becomes %q, want %q; it says that there was something: %t", text, masked, want, found)
		}
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
