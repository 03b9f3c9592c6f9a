package registration

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// clean returns text from outside on one line, safe for a terminal and a log, and bounded.
func clean(text string, room int) string {
	if len(text) > room {
		end := room
		for end > room-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return foreign.Line(strings.TrimSpace(text))
}

// redact replaces a token in a text, in each form in which servers and libraries write it:
// as it is, quoted, quoted twice, in JSON, and in a URL.
func redact(text, token string) string {
	if token == "" {
		return text
	}
	for _, form := range formsOf(token) {
		text = strings.ReplaceAll(text, form, "[token]")
	}
	return text
}

// formsOf lists the longest forms first: a shorter one may be part of them.
func formsOf(token string) []string {
	quoted := quote(token)
	escaped, _ := json.Marshal(token)
	inJSON := string(escaped[1 : len(escaped)-1])
	return []string{quote(quoted), quote(inJSON), inJSON, quoted, url.QueryEscape(token), url.PathEscape(token), token}
}

func quote(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
