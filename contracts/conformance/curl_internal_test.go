package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// TestReplays has a shell run the command of each call as reports show it. What arrives is the call.
func TestReplays(t *testing.T) {
	for _, program := range []string{"sh", "base64", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the commands use %s, which is not here", program)
		}
	}
	arrived := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "9") // of a body that does not come
		}
		arrived <- fmt.Sprintf("%s %s, %q of %q: %q", r.Method, r.RequestURI, r.Header[correlationHeader],
			r.Header["Content-Type"], body)
	}))
	defer server.Close()
	p := replayer(t, server.URL)
	t.Setenv("no_proxy", "*")
	for name, c := range replayed(t) {
		if _, err := p.send(t.Context(), c); err != nil {
			t.Fatal(name, err)
		}
		want, command := <-arrived, foreign.Line(p.curl(c))
		if err := exec.CommandContext(t.Context(), "sh", "-c", command).Run(); err != nil {
			t.Errorf("%s: %v: %s", name, err, command)
			continue
		}
		if got := <-arrived; got != want {
			t.Errorf("%s: %s\narrived as %s\nwant       %s", name, command, got, want)
		}
	}
}

func replayer(t *testing.T, url string) *prober {
	p, err := newProber(Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// replayed are calls that a shell or a report might change.
func replayed(t *testing.T) map[string]call {
	doc := mustRead(t)
	var bytes []byte
	for b := range 256 {
		bytes = append(bytes, byte(b))
	}
	op := doc.operation(opRegister)
	calls := map[string]call{}
	for name, body := range map[string]string{
		"plain": `{"a": 1}`, "empty": "", "quotes": `it's "$HOME"`, "every byte": string(bytes), "no UTF-8": "\xff",
		"NUL": "\x00", "escapes": `{"a":"\u0001\x1b\033\\e"}`, "line breaks": "a\n\nb\n\n", "odd": string(encode(odd)),
		"a command": "::error::##[error]", "in gzip": string(zipped(bytes)),
		"a long run": "{'" + strings.Repeat("l", largeBody) + "'}", "long": strings.Repeat(`{"a":1},`, maxReplayBody),
	} {
		calls[name] = call{op: op, body: []byte(body)}
	}
	calls["no type"] = call{op: op, body: []byte("{}"), noType: true}
	calls["the head of an answer"] = call{op: doc.operation(opList), method: http.MethodHead}
	calls["a whole URL"] = call{op: doc.operation(opList), line: absolute}
	calls["an empty header"] = call{op: op, body: []byte("{}"), header: http.Header{correlationHeader: {""}}}
	return calls
}

// TestReplaysSurviveReports has bodies with each byte, alone and spelled as an escape.
func TestReplaysSurviveReports(t *testing.T) {
	p, plain := replayer(t, "http://orchestratord"), replayed(t)["plain"]
	for b := range 256 {
		for _, body := range []string{string([]byte{byte(b)}), "\\" + string(rune(b))} {
			plain.body = []byte(body)
			if command := p.curl(plain); foreign.Block(command) != command {
				t.Errorf("a report changes %q", command)
			}
		}
	}
}

// TestNoReplayShowsTheTokenInABody has bodies with the token, as they are sent.
func TestNoReplayShowsTheTokenInABody(t *testing.T) {
	p, c := replayer(t, "http://orchestratord"), replayed(t)["plain"]
	p.token, c.secret = "a-token%2Bwith=signs", true
	c.body = []byte(`{"access_token":"` + p.token + `"}`)
	if command := p.curl(c); strings.Contains(command, p.token) {
		t.Errorf("the token is in %s", command)
	}
}
