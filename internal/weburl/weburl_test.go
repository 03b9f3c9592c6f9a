package weburl_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/weburl"
)

func TestParseBase(t *testing.T) {
	const whole = "must be an http or https URL with a host, such as http://127.0.0.1:8080"
	for text, want := range map[string]string{
		"http://h":                 "",
		"https://[::1]:8080/a/":    "",
		"http://h:65535":           "",
		"":                         "is empty",
		" ":                        "holds a blank or a line break: must be without",
		"http://h\n":               "holds a blank or a line break: must be without",
		"localhost:8080":           "lacks its scheme, as in http://localhost:8080",
		"h":                        "lacks its scheme, as in http://h",
		"//h:1/a":                  "lacks its scheme, as in http://h:1/a",
		"http//h":                  "lacks its scheme, http:// or https://",
		"https:/h":                 "lacks its scheme, http:// or https://",
		"h:0":                      "lacks its scheme, http:// or https://",
		"u:secret@h":               "lacks its scheme, http:// or https://",
		strings.Repeat("h", 81):    "lacks its scheme, http:// or https://",
		"ftp://h":                  whole,
		"http://":                  whole,
		"http://:8080":             whole,
		"http://h:8o80":            whole,
		"http://u:%zzsecret@h":     whole,
		"http://h:0":               "has a port that is not within 1 to 65535",
		"http://h:65536":           "has a port that is not within 1 to 65535",
		"http://u:secret@h":        "holds credentials: must be without, they have settings of their own",
		"http://:secret@h":         "holds credentials: must be without, they have settings of their own",
		"http://@h":                "holds credentials: must be without, they have settings of their own",
		"http://h?a=b":             "has a query or a fragment: must end before it",
		"http://h/a#":              "has a query or a fragment: must end before it",
		"http://u:#secret@h":       "has a query or a fragment: must end before it",
		"http://u:1/?secret@h":     "has a query or a fragment: must end before it",
		"http://orchestratord/a/b": "",
	} {
		where, err := weburl.ParseBase(text)
		switch {
		case err == nil && (want != "" || where.String() != text):
			t.Errorf("%q is taken as %v, want %q", text, where, want)
		case err != nil && err.Error() != want:
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestParse(t *testing.T) {
	const text = "https://h/build?id=5#log"
	if where, err := weburl.Parse(text); err != nil || where.String() != text {
		t.Errorf("%q is taken as %v, %v", text, where, err)
	}
	for text, want := range map[string]string{
		"https://h\u00a0": "holds a blank or a line break: must be without",
		"h/build":         "lacks its scheme, as in http://h/build",
		"h/build?id=5":    "lacks its scheme, http:// or https://",
	} {
		if _, err := weburl.Parse(text); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}
