package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// hostile steers a terminal, turns the reading order, forges a line, and hides what
// follows it from writers that stop at bytes that are not UTF-8.
const hostile = "\x1b]52;c;cm0=\x07\\x1b[2J\\033[1m\u202e\r\n12:00:00 INF forged \xff\ufffd##[error]end"

// shown is how hostile is shown, up to quotes.
const shown = `<U+001B>]52;c;cm0=<U+0007><U+005C>x1b[2J<U+005C>033[1m<U+202E><U+000D><U+000A>` +
	`12:00:00 INF forged <0xFF><U+FFFD>#<U+0023>[error]end`

type stringer struct{}

func (stringer) String() string { return hostile }

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.AnyValue(errors.New(hostile)) }

// logHostile logs hostile in every place that takes text: ten of them.
func logHostile(h slog.Handler) {
	log := slog.New(h).With("before", hostile, hostile, 1).WithGroup(hostile)
	log.Info(hostile, "string", hostile, "error", errors.New(hostile), "stringer", stringer{}, "valuer", valuer{},
		slog.Group("group", hostile, hostile), "list", []string{hostile})
}

func TestNoTextHurtsATerminal(t *testing.T) {
	for _, colour := range []bool{true, false} {
		var text bytes.Buffer
		handler, err := newHandler(&text, slog.LevelInfo, "text", colour)
		if err != nil {
			t.Fatal(err)
		}
		logHostile(handler)
		line := text.String()
		if colour { // and nothing else brings escapes
			for _, own := range []string{"\x1b[0m", "\x1b[2m", "\x1b[22m", "\x1b[92m"} {
				line = strings.ReplaceAll(line, own, "")
			}
		}
		if i := strings.IndexAny(line, "\x1b\a\r\u202e\ufffd"); i >= 0 || strings.Count(line, "\n") != 1 {
			t.Errorf("colour %t: unsafe at %d: %q", colour, i, line)
		}
		if n := strings.Count(line, shown); n < 10 {
			t.Errorf("colour %t: %d places show all of the text, want at least 10: %q", colour, n, line)
		}
	}
}

func TestJSONIsSafeAsItIsDecoded(t *testing.T) {
	var text bytes.Buffer
	handler, err := newHandler(&text, slog.LevelInfo, "json", false)
	if err != nil {
		t.Fatal(err)
	}
	logHostile(handler)
	if strings.Contains(text.String(), "\u202e") || strings.Contains(text.String(), `\u001b`) {
		t.Errorf("JSON keeps an escape: %s", text.String())
	}
	var entry map[string]any
	if err := json.Unmarshal(text.Bytes(), &entry); err != nil {
		t.Fatal(err)
	}
	if entry["msg"] != shown || entry["before"] != shown {
		t.Errorf("JSON decodes to %q", entry)
	}
}

func TestJSONKeepsWhatIsNotText(t *testing.T) {
	var text bytes.Buffer
	handler, err := newHandler(&text, slog.LevelInfo, "json", false)
	if err != nil {
		t.Fatal(err)
	}
	slog.New(handler).Info("m", "n", 3, "yes", true, "took", 1500*time.Millisecond, "none", nil, slog.Attr{},
		"list", []string{"a", "b"}, "addr", netip.MustParseAddr("::1"), "missing", (*netip.Addr)(nil))
	for _, want := range []string{
		`"n":3`, `"yes":true`, `"took":"1.5s"`, `"none":null,"list":["a","b"]`, `"missing":"<nil>"`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %s in %s", want, text.String())
		}
	}
}
