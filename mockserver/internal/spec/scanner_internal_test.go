package spec

import (
	"strings"
	"testing"
)

const unescaped = `control character (\u0000-\u001F) found while parsing a string`

// unreadable are bodies that are no JSON, what serde_json 1.0.145 says of them, and at which line
// and column.
var unreadable = []struct{ body, reason, place string }{
	{``, "EOF while parsing a value", "1:0"},
	{" \n ", "EOF while parsing a value", "2:1"},
	{`{`, "EOF while parsing an object", "1:1"},
	{`{"`, "EOF while parsing a string", "1:2"},
	{`{"node_id`, "EOF while parsing a string", "1:9"},
	{`{"node_id"`, "EOF while parsing an object", "1:10"},
	{`{"node_id":`, "node_id: EOF while parsing a value", "1:11"},
	{`{"node_id":"a`, "node_id: EOF while parsing a string", "1:13"},
	{`{"node_id":"a"`, "EOF while parsing an object", "1:14"},
	{`{"node_id":"a",`, "EOF while parsing a value", "1:15"},
	{`{"node_id":"a",}`, "trailing comma", "1:16"},
	{`{"node_id":"a" "x":1}`, "expected `,` or `}`", "1:16"},
	{`{"node_id" "a"}`, "expected `:`", "1:12"},
	{`{node_id:1}`, "key must be a string", "1:2"},
	{`{,}`, "key must be a string", "1:2"},
	{"\n\t{\r\n\"node_id\"\n:\n,", "node_id: expected value", "5:1"},
	{`x`, "expected value", "1:1"},
	{"\xef\xbb\xbf{}", "expected value", "1:1"},
	{"\x00", "expected value", "1:1"},
	{`'a'`, "expected value", "1:1"},
	{`nul`, "EOF while parsing a value", "1:3"},
	{`nulx`, "expected ident", "1:4"},
	{`trux`, "expected ident", "1:4"},
	{`fals`, "EOF while parsing a value", "1:4"},
	{`-`, "EOF while parsing a value", "1:1"},
	{`-x`, "invalid number", "1:2"},
	{`01`, "invalid number", "1:2"},
	{`-01`, "invalid number", "1:3"},
	{`1.`, "EOF while parsing a value", "1:2"},
	{`1.x`, "invalid number", "1:3"},
	{`1e`, "EOF while parsing a value", "1:2"},
	{`1e+`, "EOF while parsing a value", "1:3"},
	{`1ex`, "invalid number", "1:3"},
	{`.5`, "expected value", "1:1"},
	{`+1`, "expected value", "1:1"},
	{`NaN`, "expected value", "1:1"},
	{`1e400`, "number out of range", "1:5"},
	{`{"pools":`, "pools: EOF while parsing a value", "1:9"},
	{`{"pools":[`, "pools: EOF while parsing a list", "1:10"},
	{`{"pools":["a"`, "pools: EOF while parsing a list", "1:13"},
	{`{"pools":["a",`, "pools: EOF while parsing a value", "1:14"},
	{`{"pools":["a",]}`, "pools: trailing comma", "1:15"},
	{`{"pools":["a" "b"]}`, "pools: expected `,` or `]`", "1:15"},
	{`{"pools":[,"a"]}`, "pools[0]: expected value", "1:11"},
	{`{"pools":["a"}`, "pools: expected `,` or `]`", "1:14"},
	{`{"pools":["\x"]}`, "pools[0]: invalid escape", "1:13"},
	{`{"pools":["\`, "pools[0]: EOF while parsing a string", "1:12"},
	{`{"pools":["\u12`, "pools[0]: EOF while parsing a string", "1:15"},
	{`{"pools":["\u12g4"]}`, "pools[0]: invalid escape", "1:17"},
	{`{"pools":["\ud800"]}`, "pools[0]: unexpected end of hex escape", "1:18"},
	{`{"pools":["\ud800\n"]}`, "pools[0]: unexpected end of hex escape", "1:19"},
	{`{"pools":["\ud800\u0041"]}`, "pools[0]: lone leading surrogate in hex escape", "1:23"},
	{`{"pools":["\ud800\ue000"]}`, "pools[0]: lone leading surrogate in hex escape", "1:23"},
	{`{"pools":["\udc00"]}`, "pools[0]: lone leading surrogate in hex escape", "1:17"},
	{`{"pools":["\ud800\`, "pools[0]: EOF while parsing a string", "1:18"},
	{"{\"pools\":[\"\x01\"]}", "pools[0]: " + unescaped, "1:12"},
	{"{\"pools\":[\"a\n\"]}", "pools[0]: " + unescaped, "2:0"},
	{"{\"pools\":[\"\xff\"]}", "pools[0]: invalid unicode code point", "1:13"},
	{`{"\ud800":1}`, "unexpected end of hex escape", "1:9"},
	{`{"capabilities":{"gpus":[{`, "capabilities.gpus[0].?: EOF while parsing an object", "1:26"},
	{`{"capabilities":{"gpus":[{"device_id"`, "capabilities.gpus[0]: EOF while parsing an object", "1:37"},
	{`{"capabilities":{"gpus":[{"device_id":0,}]}}`, "capabilities.gpus[0].?: trailing comma", "1:41"},
	{`{"capabilities":{"gpus":[{"device_id":0 0}]}}`, "capabilities.gpus[0].?: expected `,` or `}`", "1:41"},
	{`{"capabilities":{"gpus":[{"device_id":0x}]}}`, "capabilities.gpus[0].?: expected `,` or `}`", "1:40"},
	{`{"capabilities":{"gpus":[{7`, "capabilities.gpus[0].?: key must be a string", "1:27"},
	{`{"x":`, "x: EOF while parsing a value", "1:5"},
	{`{"x":[1,]}`, "x: expected value", "1:9"},
	{`{"x":[,1]}`, "x: expected value", "1:7"},
	{`{"x":[1 2]}`, "x: expected `,` or `]`", "1:9"},
	{`{"x":[1}`, "x: expected `,` or `]`", "1:8"},
	{`{"x":[[1],{"y":2}`, "x: EOF while parsing a list", "1:17"},
	{`{"x":[`, "x: EOF while parsing a list", "1:6"},
	{`{"x":{"y":1,}}`, "x: key must be a string", "1:13"},
	{`{"x":{"y" 1}}`, "x: expected `:`", "1:11"},
	{`{"x":{"y":1 2}}`, "x: expected `,` or `}`", "1:13"},
	{`{"x":{`, "x: EOF while parsing an object", "1:6"},
	{`{"x":{y`, "x: key must be a string", "1:7"},
	{"{\"x\":\"\n\"}", "x: " + unescaped, "1:6"},
	{`{"x":"\x"}`, "x: invalid escape", "1:8"},
	{`{"x":"a`, "x: EOF while parsing a string", "1:7"},
	{`{"x":01}`, "x: invalid number", "1:7"},
	{`{"x":-`, "x: invalid number", "1:6"},
	{`{"x":1.}`, "x: invalid number", "1:8"},
	{`{"x":1e}`, "x: invalid number", "1:8"},
	{`{"x":tru}`, "x: expected ident", "1:9"},
	{`{"x":a}`, "x: expected value", "1:6"},
	{"{\"x y\":\x7f}", "x y: expected value", "1:8"},
	{`{"node_id":1e99999}`, "node_id: number out of range", "1:18"},
}

func TestWhatIsNotJSONIsRefusedInTheWordsOfSerde(t *testing.T) {
	schema := InService().body("registerNode")
	for _, test := range unreadable {
		line, column, _ := strings.Cut(test.place, ":")
		want := test.reason + " at line " + line + " column " + column
		got := FirstMismatch(schema, []byte(test.body))
		if got == nil || !got.Syntax || got.Line([]byte(test.body)) != want {
			t.Errorf("%q: %+v, want %s", test.body, got, want)
		}
	}
}

// TestWhatIsThrownAwayIsNotLookedAt has values in a field that no type has.
func TestWhatIsThrownAwayIsNotLookedAt(t *testing.T) {
	const deep = 100_000
	for _, value := range []string{
		`1e999`, `-0`, `123456789012345678901234567890`, `"\ud800"`, "\"\xff\"", `[]`, `{}`,
		` [ { "" : [ ] } , null ] `, strings.Repeat("[", deep) + strings.Repeat("]", deep),
		strings.Repeat(`{"x":`, deep) + "1" + strings.Repeat("}", deep),
	} {
		body := `{"timestamp":"","x":` + value + `,"pools":[]}`
		if got := FirstMismatch(InService().body("heartbeatNode"), []byte(body)); got != nil {
			t.Errorf("%.100s: %s", body, got.Line([]byte(body)))
		}
	}
}

func TestValuesAreShownAsRustShowsThem(t *testing.T) {
	for value, want := range map[string]string{
		`5e-324`:                      "floating point `5e-324`",
		`1e-6`:                        "floating point `1e-6`",
		`1e-5`:                        "floating point `0.00001`",
		`1e15`:                        "floating point `1000000000000000.0`",
		`1e16`:                        "floating point `1e16`",
		`-9223372036854775809`:        "floating point `-9.223372036854776e18`",
		`"\u0000\u001b\n\"'\\\u007f"`: `string "\0\u{1b}\n\"'\\\u{7f}"`,
		`"e\u0301\u00a0\u200b\u00e9"`: `string "e\u{301}\u{a0}\u{200b}é"`,
	} {
		body := `{"pools":` + value + `}`
		m := FirstMismatch(InService().body("heartbeatNode"), []byte(body))
		if m == nil || m.Reason != "invalid type: "+want+", expected a sequence" {
			t.Errorf("%s: %+v, want %s", body, m, want)
		}
	}
}
