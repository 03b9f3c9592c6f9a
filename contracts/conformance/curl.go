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
	if len(c.body) > maxReplayBody {
		return fmt.Sprintf("%s --data-binary @body.json # of %d bytes, which begin %q",
			command, len(c.body), c.body[:64])
	}
	text := quote(string(c.body))
	if foreign.Line(text) != text {
		return "echo " + base64.StdEncoding.EncodeToString(c.body) + " | base64 -d | " + command + " --data-binary @-"
	}
	return command + " --data-binary " + text
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

// redacted is redact for an error. It leaves one that does not hold the token as it is.
func (p *prober) redacted(err error) error {
	if text := p.redact(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}
