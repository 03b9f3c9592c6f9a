package conformance

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxReplayBody is the longest body that a curl command shows, in bytes.
const maxReplayBody = 4 << 10

// curl returns the command that repeats a call. It does not contain the token
// (CLOUD-4013): the shell reads that from the environment.
func (p *prober) curl(c call) string {
	words := []string{"curl", "-i", "-X", c.verb(), quote(p.base.String() + c.target())}
	switch c.line {
	case oldHTTP:
		words = append(words, "--http1.0")
	case chunked:
		words = append(words, "-H", "'Transfer-Encoding: chunked'")
	}
	switch {
	case c.shown != "":
		words = append(words, c.shown)
	case p.token != "" && !c.noToken:
		words = append(words, "-H", `"Authorization: Bearer $LLORCH_API_TOKEN"`)
	}
	if c.op.media != "" && !c.noType && c.header["Content-Type"] == nil {
		words = append(words, "-H", quote("Content-Type: "+c.op.media))
	}
	for _, name := range slices.Sorted(maps.Keys(c.header)) {
		for _, value := range c.header[name] {
			if c.shown == "" {
				words = append(words, "-H", quote(name+": "+value))
			}
		}
	}
	for i, word := range words {
		if name, value, found := strings.Cut(word, ":"); found && c.line == lower && words[i-1] == "-H" {
			words[i] = strings.ToLower(name) + ":" + value
		}
	}
	switch {
	case len(c.body) > maxReplayBody:
		return strings.Join(words, " ") + fmt.Sprintf(" --data-binary @body.json # of %d bytes, which begin %s",
			len(c.body), quote(string(c.body[:64])))
	case c.body != nil:
		words = append(words, "--data-binary", quote(string(c.body)))
	}
	return strings.Join(words, " ")
}

// quote quotes a text, so that a shell reads it as one literal word.
func quote(text string) string {
	if !utf8.ValidString(text) {
		quoted := strconv.Quote(text)
		return "$'" + strings.ReplaceAll(quoted[1:len(quoted)-1], "'", `\'`) + "'"
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// redactedToken stands for the token in texts that people read.
const redactedToken = "[token]"

// redact removes the token from a text, in each spelling in which it is sent or quoted, since a
// provider may have echoed it.
func (p *prober) redact(text string) string {
	if p.token == "" {
		return text
	}
	quoted := strconv.Quote(p.token)
	quoted = quoted[1 : len(quoted)-1]
	for _, spelling := range []string{p.token, quoted, url.QueryEscape(p.token), asPassword(p.token), asUser(p.token)} {
		text = strings.ReplaceAll(text, spelling, redactedToken)
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
