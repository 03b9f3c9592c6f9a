package exactjson_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/exactjson"
)

type number struct {
	N int64 `json:"n"`
}

type body struct {
	Name   string            `json:"name"`
	List   []*number         `json:"list"`
	Map    map[string]number `json:"map,omitempty"`
	Wanted *bool             `json:"wanted"`
}

func TestNames(t *testing.T) {
	for text, want := range map[string]body{
		`{"Name":"X","name":"x","LIST":[]}`:                   {Name: "x"},
		`{"name":"x","Name":"X"}`:                             {Name: "x"},
		`{"list":[{"n":9007199254740993,"N":1},{"N":1}]}`:     {List: []*number{{9007199254740993}, {}}},
		`{"map":{"a":{"n":2,"N":1},"A":{"N":1}}}`:             {Map: map[string]number{"a": {2}, "A": {}}},
		`{"name":1,"list":{"n":1},"wanted":true,"map":[]}`:    {Wanted: new(true)},
		`{"n\u0061me":"x","Na\u006de":"X"}`:                   {Name: "x"},
		`{"name":"X\":","näme":1,"nA\"me":2}`:                 {Name: `X":`},
		`{"name":"X:", "Wanted" :true, "WANTED"` + "\n:true}": {Name: "X:"},
		`{"list":[null,{"n":1}],"Map":{},"map":null}`:         {List: []*number{nil, {1}}},
		`{"name":"x","wanted":null}`:                          {Name: "x"},
		`{"name":"x"} {`:                                      {},
		`{"name":"x"`:                                         {},
		`["name"]`:                                            {},
		"":                                                    {},
	} {
		var got body
		_ = exactjson.Unmarshal([]byte(text), &got) // what does not fit is passed over
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestErrors compares with encoding/json.
func TestErrors(t *testing.T) {
	for _, text := range []string{`{}`, `{"name":1}`, `[]`, `{"list":[{"n":1.5}]}`, `{} {`, `{`, ``, `7`, `null`} {
		want := json.Unmarshal([]byte(text), new(body))
		if got := exactjson.Unmarshal([]byte(text), new(body)); (got == nil) != (want == nil) {
			t.Errorf("%s: error %v, want one as %v", text, got, want)
		}
	}
}

func TestBind(t *testing.T) {
	value := map[string]any{
		"Name": "X", "name": "x", "list": []any{map[string]any{"n": json.Number("9007199254740993"), "N": 1}},
	}
	got := body{Wanted: new(true)} // which the value does not state
	if err := exactjson.Bind(value, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(body{Name: "x", List: []*number{{9007199254740993}}, Wanted: new(true)}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := exactjson.Bind(map[string]any{"name": func() {}}, &got); err == nil {
		t.Error("a function is bound")
	}
}
