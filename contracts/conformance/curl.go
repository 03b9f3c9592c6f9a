package conformance

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// maxReplayBody is the longest body that a curl command shows, in bytes.
const maxReplayBody = 4 << 10

// inCurl is what makes curl use a kind of connection.
var inCurl = map[connection]string{
	fresh: "-H 'Connection: close'", chunked: "-H 'Transfer-Encoding: chunked'", oldHTTP: "--http1.0",
}

// curl returns the command that repeats a call. It does not contain the token
// (CLOUD-4013): the shell reads that from the environment.
func (p *prober) curl(c call) string {
	words := []string{"curl", "-i", "-X", c.verb()}
	if c.verb() == http.MethodHead { // with -X, curl would wait for the body
		words = []string{"curl", "-I"}
	}
	words = append(words, quote(p.base.String()+c.target()))
	if way := inCurl[c.line]; way != "" {
		words = append(words, way)
	}
	if c.line == absolute {
		words = append(words, "--request-target", quote(p.base.String()+c.target()))
	}
	switch {
	case c.shown != "":
		words = append(words, c.shown)
	case p.token != "" && !c.noToken:
		words = append(words, "-H", `"Authorization: Bearer $LLORCH_API_TOKEN"`)
	}
	switch {
	case c.op.media == "", c.header["Content-Type"] != nil:
	case c.noType:
		words = append(words, "-H", "'Content-Type:'") // curl has one of its own for a body
	default:
		words = append(words, "-H", headerLine("Content-Type", c.op.media))
	}
	for _, name := range slices.Sorted(maps.Keys(c.header)) {
		for _, value := range c.header[name] {
			if c.shown == "" {
				words = append(words, "-H", headerLine(name, value))
			}
		}
	}
	for i, word := range words {
		if name, value, found := strings.Cut(word, ":"); found && c.line == lower && words[i-1] == "-H" {
			words[i] = strings.ToLower(name) + ":" + value
		}
	}
	return c.withBody(strings.Join(words, " "))
}

// withBody adds the body to a command, in base64 if reports would not show it as it is. They escape what
// a terminal or a shell could obey.
func (c call) withBody(command string) string {
	if c.body == nil {
		return command
	}
	if c.secret {
		return command + " --data-binary @body.txt # of " + c.op.id + ", with the token in access_token"
	}
	plain := func(text string) bool { return len(text) <= maxReplayBody && foreign.Line(text) == text }
	if text := quote(string(c.body)); plain(text) {
		return command + " --data-binary " + text
	}
	piped := " | " + command + " --data-binary @-"
	at, length := longestRun(c.body)
	before, after := quote(string(c.body[:at])), quote(string(c.body[at+length:]))
	switch {
	case plain(before) && plain(after) && length > maxReplayBody/2:
		return fmt.Sprintf(`(printf %%s %s; yes %c | head -n %d | tr -d '\n'; printf %%s %s)`,
			before, c.body[at], length, after) + piped
	case len(c.body) > maxReplayBody:
		return "echo " + base64.StdEncoding.EncodeToString(zipped(c.body)) + " | base64 -d | gzip -d" + piped
	}
	return "echo " + base64.StdEncoding.EncodeToString(c.body) + " | base64 -d" + piped
}

// longestRun returns where in a body one letter comes most often in a row, and how often.
func longestRun(body []byte) (at, length int) {
	for i := 0; i < len(body); {
		end := i + 1
		for end < len(body) && body[end] == body[i] {
			end++
		}
		letter := 'a' <= body[i] && body[i] <= 'z'
		if letter && end-i > length {
			at, length = i, end-i
		}
		i = end
	}
	return at, length
}

// headerLine returns a line of the header as an argument of curl. That leaves out one that ends with a colon.
func headerLine(name, value string) string {
	switch {
	case value == "" && name == userAgent:
		return quote(name + ":") // none, in place of curl's own
	case value == "":
		return quote(name + ";")
	}
	return quote(name + ": " + value)
}

// quote quotes a text, so that a shell reads it as one literal word.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// redact removes the token from a text, in each spelling in which it is sent, since a provider may have
// echoed it.
func (p *prober) redact(text string) string {
	if p.token == "" {
		return text
	}
	for _, spelling := range []string{p.token, asPassword(p.token), asUser(p.token)} {
		text = foreign.Redact(text, spelling, math.MaxInt)
	}
	return text
}

// redacted is redact for an error. It leaves one that holds neither the token nor
// an escape as it is.
func (p *prober) redacted(err error) error {
	if text := legible(p.redact(err.Error())); text != err.Error() {
		return errors.New(text)
	}
	return err
}
