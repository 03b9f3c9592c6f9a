package target_test

import (
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/internal/target"
)

func TestParse(t *testing.T) {
	for _, test := range []struct{ base, token, refused string }{
		{"http://127.0.0.1:8080", "", ""},
		{"https://orchestratord.test/base", "a-token", ""},
		{"orchestratord:8080", "", "the URL of orchestratord"},
		{"http://127.0.0.1:8080", "a-token\n", "a character that a header cannot carry"},
	} {
		switch _, err := target.Parse(test.base, test.token); {
		case test.refused == "" && err != nil:
			t.Errorf("%q: %v", test.base, err)
		case test.refused != "" && (err == nil || !strings.Contains(err.Error(), test.refused)):
			t.Errorf("%q with the token %q: error %v, want %q", test.base, test.token, err, test.refused)
		}
	}
}

func TestRefusal(t *testing.T) {
	for _, test := range []struct {
		status int
		token  string
		want   string
	}{
		{200, "", ""},
		{500, "", ""},
		{302, "", "it redirects"},
		{401, "", "requires a token"},
		{401, "a-token", "does not accept the token"},
		{404, "", "is this the base URL"},
		{503, "", "not ready"},
	} {
		got := target.Refusal(test.status, test.token)
		if !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
			t.Errorf("status %d with the token %q: %q, want %q", test.status, test.token, got, test.want)
		}
	}
}
