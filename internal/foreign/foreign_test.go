package foreign_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/internal/foreign"
)

func TestLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"clean":              {"GET /v2/nodes 200 in 1.5 ms", "GET /v2/nodes 200 in 1.5 ms"},
		"letters":            {"Größe 大きさ é 👍", "Größe 大きさ é 👍"},
		"empty":              {"", ""},
		"escape":             {"a\x1b[2Jb", "a<U+001B>[2Jb"},
		"line breaks":        {"a\r\nb\u2028c\u0085d", "a<U+000D><U+000A>b<U+2028>c<U+0085>d"},
		"tab":                {"a\tb", "a<U+0009>b"},
		"other spaces":       {"a\u00a0b\u3000c", "a<U+00A0>b<U+3000>c"},
		"bidi":               {"\u202egnp.exe", "<U+202E>gnp.exe"},
		"invisible":          {"ad\u200bmin\ufeff\U000e0041", "ad<U+200B>min<U+FEFF><U+E0041>"},
		"variation":          {"a\ufe0f\u180b\U000e0100", "a<U+FE0F><U+180B><U+E0100>"},
		"filler":             {"a\u3164\uffa0\u115f\u034f\u17b4", "a<U+3164><U+FFA0><U+115F><U+034F><U+17B4>"},
		"empty Braille":      {"a\u2800\u2801", "a<U+2800>\u2801"},
		"no UTF-8":           {"a\x9b\xffb", "a<0x9B><0xFF>b"},
		"replacement":        {"a\ufffdb", "a<U+FFFD>b"},
		"surrogate":          {"\xed\xa0\x80", "<0xED><0xA0><0x80>"},
		"spelled in hex":     {`a\x1b[2J`, `a<U+005C>x1b[2J`},
		"spelled in octal":   {`a\033[2J`, `a<U+005C>033[2J`},
		"spelled by name":    {`\e[2J\N{ESC}`, `<U+005C>e[2J<U+005C>N{ESC}`},
		"spelled as JSON":    {`\u001b \U0000001b`, `<U+005C>u001b <U+005C>U0000001b`},
		"doubled":            {`\\x1b`, `\<U+005C>x1b`},
		"spelled at the end": {`a\x`, `a<U+005C>x`},
		"spelled in braces":  {`\x{1b}\u{1b}`, `<U+005C>x{1b}<U+005C>u{1b}`},
		"harmless escapes":   {`C:\dir "\n" \d+\`, `C:\dir "\n" \d+\`},
		"no escapes":         {`C:\Users\xylem\Nodes \8 \x.\u-`, `C:\Users\xylem\Nodes \8 \x.\u-`},
		"command":            {"::error::x", "<U+003A>:error::x"},
		"command, indented":  {"  ::error::x", "  <U+003A>:error::x"},
		"no command":         {"a ::error::x", "a ::error::x"},
		"address":            {"http://[::1]:8080", "http://[::1]:8080"},
		"old command":        {"a ##[error]x", "a #<U+0023>[error]x"},
		"Azure's command":    {"##vso[task.x]y", "#<U+0023>vso[task.x]y"},
		"heading":            {"## Nodes [2]", "## Nodes [2]"},
		"credentials":        {"at http://user:pa@ss@host/a@b", "at http://***@host/a@b"},
		"without a scheme":   {"GET //u:p@h //u%3ap@h", "GET //***@h //***@h"},
		"several":            {"http://a/b https://t@c,d://e:f@g", "http://a/b https://***@c,d://***@g"},
		"as JSON":            {`{"at":"http:\/\/user:pass@host"}`, `{"at":"http:\/\/***@host"}`},
		"as part of a URL":   {"?to=http%3A%2f%2Fuser%3apass%40host", "?to=http%3A%2f%2F***%40host"},
		"escapes within":     {"http://us\x1ber:\xff@host", "http://***@host"},
		"breaks within":      {"http://user:pa\nss\u00a0@host, //u:\n@h", "http://***@host, //***@h"},
		"breaks around": {"http:/\n/user:pass@host http:\n//tok@host ht\tp:\t/\t/tok@h", "http:/<U+000A>/***@host " +
			"http:<U+000A>//***@host ht<U+0009>p:<U+0009>/<U+0009>/***@h"},
		"spelled slashes": {`http:\u002f\u002Fuser:pass@h http\x3a//t\u0040h`, "http:<U+005C>u002f<U+005C>u002F***@h " +
			"http<U+005C>x3a//***<U+005C>u0040h"},
		"a spelled @":    {`http://tok\u0040h`, "http://***<U+005C>u0040h"},
		"no credentials": {"http://host/user:pass@a user@host //a@b", "http://host/user:pass@a user@host //a@b"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foreign.Line(test.text); got != test.want {
				t.Errorf("%q is shown as %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestCleanTextIsNotCopied(t *testing.T) {
	text := strings.Repeat("heartbeat of gpu-node-1 accepted, ", 10)
	if n := testing.AllocsPerRun(100, func() { foreign.Line(text) }); n != 0 {
		t.Errorf("clean text takes %v allocations, want none", n)
	}
}

func TestBlock(t *testing.T) {
	const text = "one\r\ntwo\n  ::error::x\n\n##[group]y\rz"
	const want = "one\ntwo\n  <U+003A>:error::x\n\n#<U+0023>[group]y<U+000D>z"
	if got := foreign.Block(text); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	const text = "a|b\n`c` <img src=x> [d](e) *f* \\| &lt;"
	const want = "a\\|b&lt;U+000A&gt;\\`c\\` &lt;img src=x&gt; \\[d\\](e) \\*f\\* \\\\\\| &amp;lt;"
	if got := foreign.Markdown(text); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWorkflowCommands(t *testing.T) {
	const text = "100%0A: a, b\n::error::c"
	if got, want := foreign.Annotation(text), "100%250A: a, b%0A<U+003A>:error::c"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	if got, want := foreign.Property(text), "100%250A%3A a%2C b<U+000A>%3A%3Aerror%3A%3Ac"; got != want {
		t.Errorf("property %q, want %q", got, want)
	}
}

// command matches the lines that a CI runner obeys: GitHub's of today at their start,
// the older ones and Azure's anywhere.
var command = regexp.MustCompile(`(?m)^\s*::|##\pL*\[`)

// credentials matches those in a URL, except for what hides them.
var credentials = regexp.MustCompile(`:(?:<U\+000[9AD]>)*/(?:<U\+000[9AD]>)*/[^\s"/?#*]+@`)

// spelled matches what other tools turn into an escape.
var spelled = regexp.MustCompile(`\\(x|u|U|[0-9]|e|E|c|N)`)

func FuzzForeign(f *testing.F) {
	for _, seed := range []string{
		"clean", " ::error::x", "##[a]", "##vso[a]", "\\x1b", "\xff\u202e\r\n", "a|b",
		"a://b:c@d", "a://0\n@", "//0:\n@", "a:/\n/b@c", "a:\n\r//b@c", `a:\u002f\x2fb\u0040c`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line := foreign.Line(text)
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is shown as %q", text, line)
		}
		if command.MatchString(line) || spelled.MatchString(line) {
			t.Errorf("%q keeps its command or escape: %q", text, line)
		}
		if credentials.MatchString(line) {
			t.Errorf("%q keeps its credentials: %q", text, line)
		}
		if again := foreign.Line(line); again != line {
			t.Errorf("%q cleaned twice is %q, once %q", text, again, line)
		}
		if block := foreign.Block(text); command.MatchString(block) || strings.ContainsAny(block, "\x1b\r") {
			t.Errorf("%q as a block keeps a command or an escape: %q", text, block)
		}
		if strings.ContainsAny(foreign.Annotation(text), "\r\n") ||
			strings.ContainsAny(foreign.Property(text), "\r\n:,") {
			t.Errorf("%q breaks out of its workflow command", text)
		}
		if strings.Contains(strings.ReplaceAll(foreign.Markdown(text), `\|`, ""), "|") {
			t.Errorf("%q breaks out of its table cell", text)
		}
	})
}

func TestJSON(t *testing.T) {
	const value = "\x1b[2J \ufe0f \u009b \U000e0041 ##[error]a <é> ###"
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	safe := string(foreign.JSON(text))
	if want := `"\u001b[2J \ufe0f \u009b \udb40\udc41 #\u0023[error]a \u003cé\u003e #\u0023\u0023"`; safe != want {
		t.Errorf("got %s, want %s", safe, want)
	}
	var back string
	if err := json.Unmarshal([]byte(safe), &back); err != nil || back != value {
		t.Errorf("it means %q, want %q: %v", back, value, err)
	}
}

func TestJSONHidesCredentials(t *testing.T) {
	const text = `["http://user:p\u0026w@host","a@b","http:\u002f\u002fuser:pass@host"]`
	const want = `["http://***@host","a@b","http:\u002f\u002f***@host"]`
	if got := string(foreign.JSON([]byte(text))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
