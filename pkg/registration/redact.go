package registration

import (
	"strings"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// clean returns text from outside on one line, safe for a terminal and a log, cut to room
// bytes. It is cut once more after escaping, which makes text longer.
func clean(text string, room int) string {
	begins := beginning(text, room)
	safe := foreign.Line(strings.TrimSpace(begins))
	short := beginning(safe, room)
	if len(begins) < len(text) || len(short) < len(safe) {
		short += "…"
	}
	return short
}

// beginning returns the longest beginning of a text that has whole characters and at most
// room bytes.
func beginning(text string, room int) string {
	if len(text) <= room {
		return text
	}
	end := room
	for end > room-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
