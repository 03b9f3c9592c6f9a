package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// passedOver is what keeps the document and takes the slow path all the same.
var passedOver = []struct {
	why     string
	is      func(text string) bool
	example func(good string) string
}{
	{
		"an escape, which no field's usual values need",
		func(text string) bool { return strings.Contains(text, `\`) },
		func(good string) string { return strings.Replace(good, "pool-0", `\u0070ool-0`, 1) },
	},
	{
		"an integer with a fraction or an exponent, which no encoder of integers writes",
		regexp.MustCompile(`^[^"]*("[^"]*"[^"]*)*[0-9][.eE]`).MatchString,
		func(good string) string {
			return regexp.MustCompile(`: ([0-9]+)([,\s])`).ReplaceAllString(good, ": ${1}.0$2")
		},
	},
	{
		"a zero with a sign, which readers of integers refuse",
		regexp.MustCompile(`^[^"]*("[^"]*"[^"]*)*-0`).MatchString,
		func(good string) string {
			return regexp.MustCompile(`("(gpu_count|slots_free)": ?)[0-9]+`).ReplaceAllString(good, "$1-0")
		},
	},
	{
		"a field twice: the last one counts",
		func(text string) bool { return hasTwins(json.NewDecoder(strings.NewReader(text))) },
		func(good string) string {
			return regexp.MustCompile(`("pools":)`).ReplaceAllString(good, `"pools": [], $1`)
		},
	},
}

// hasTwins reports whether the value that comes next has a field twice.
func hasTwins(decoder *json.Decoder) bool {
	opening, _ := decoder.Token()
	delim, _ := opening.(json.Delim)
	seen := map[any]bool{}
	for (delim == '{' || delim == '[') && decoder.More() {
		if delim == '{' {
			name, err := decoder.Token()
			if err != nil || seen[name] {
				return err == nil
			}
			seen[name] = true
		}
		if hasTwins(decoder) {
			return true
		}
	}
	if delim != 0 {
		_, _ = decoder.Token()
	}
	return false
}

const (
	goodRegistration = `{"node_id": "gpu-node-1", "machine_id": "machine-alpha", "address": "https://[2001:db8::1]:9200/pool", "pools": ["pool-0", "pool-1"],
  "capabilities": {"gpu_count": 1, "total_vram_mb": 24000, "cuda_version": "12.1", "cpu_cores": null, "ram_total_bytes": 9007199254740991 ,
    "gpus": [{"device_id": 0, "name": "NVIDIA GeForce RTX™ 3090", "vram_total_bytes": 24000000000, "compute_capability": "8.6"}]},
  "version": "0.1.0"}`
	goodHeartbeat = `{"timestamp": "2026-11-23T15:13:54.862242784+00:00", "pools": [{"pool_id": "pool-0", "ready": true, "draining": false,
  "slots_free": 3, "slots_total": 4, "vram_free_bytes": 18000000000, "engine": null, "models_available": ["llama-3-8b", "é"]}, {"pool_id":"b","ready":false,"slots_free":0}]}`
)

var goodBodies = map[string]string{"registerNode": goodRegistration, "heartbeatNode": goodHeartbeat}

// TestPassedOver shows that the list holds nothing that is not passed over.
func TestPassedOver(t *testing.T) {
	paths := newPaths()
	for operation, good := range goodBodies {
		if fast, plain := paths.agree(t, operation, good); !fast || !plain {
			t.Errorf("%s: the fast path takes it: %t, the validator: %t", good, fast, plain)
		}
		for _, exception := range passedOver {
			if fast, plain := paths.agree(t, operation, exception.example(good)); fast || !plain {
				t.Errorf("%s: the fast path takes it: %t, the validator: %t\n%s", exception.why, fast, plain,
					exception.example(good))
			}
		}
	}
}

// TestEveryField corrupts the good bodies in one place after another.
func TestEveryField(t *testing.T) {
	paths := newPaths()
	for operation, good := range goodBodies {
		var body any
		if err := json.Unmarshal([]byte(good), &body); err != nil {
			t.Fatal(err)
		}
		tried := 0
		try := func() {
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			paths.agree(t, operation, string(text))
			tried++
		}
		corrupt(body, try)
		if tried < 50 {
			t.Errorf("%s: only %d bodies", operation, tried)
		}
	}
}

// corrupt leaves out every member of a value in turn, and puts other values in its place.
func corrupt(value any, try func()) {
	others := []any{
		nil, true, -1, 0, 1e9, math.Pow(2, 53), 0.5, "", "x", "\n", strings.Repeat("x", 5000),
		[]any{},
		[]any{nil},
		map[string]any{},
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			kept := value[name]
			corrupt(kept, try)
			delete(value, name)
			try()
			for _, value[name] = range others {
				try()
			}
			value[name] = kept
		}
	case []any:
		for i, kept := range value {
			corrupt(kept, try)
			for _, value[i] = range others {
				try()
			}
			value[i] = kept
		}
	}
}

// TestEveryByte cuts short bodies at every byte, leaves it out, and puts others before it and in its place, and
// behind the last one. It leaves out every word, and puts a number in its place that is too large.
func TestEveryByte(t *testing.T) {
	paths := newPaths()
	for operation, good := range map[string]string{
		"registerNode": `{"node_id":"a","machine_id":"m","address":"http://h","pools":["p"],"capabilities":` +
			`{"gpu_count":1,"total_vram_mb":24,"cuda_version":"12.1","gpus":[{"device_id":0,"name":"n",` +
			`"vram_total_bytes":1,"compute_capability":"8.6"}]},"version":"v"}`,
		"heartbeatNode": `{"timestamp":"2026-11-23T15:13:54Z","pools":[{"pool_id":"a","ready":true,"slots_free":10,` +
			`"engine":"e","models_available":["m"],"draining":false}]}`,
	} {
		if fast, _ := paths.agree(t, operation, good); !fast {
			t.Errorf("the fast path passes over %s", good)
		}
		for at := range len(good) + 1 {
			paths.agree(t, operation, good[:at])
			paths.agree(t, operation, good[:at]+good[min(at+1, len(good)):])
			for _, other := range strings.Split("\x00|\v|\f|\x80|é|\\|\"|:|,|0|-| |}|]", "|") {
				paths.agree(t, operation, good[:at]+other+good[at:])
				paths.agree(t, operation, good[:at]+other+good[min(at+1, len(good)):])
			}
		}
		for _, word := range regexp.MustCompile(`"[^"]*"|[a-z0-9]+`).FindAllStringIndex(good, -1) {
			paths.agree(t, operation, good[:word[0]]+good[word[1]:])
			paths.agree(t, operation, good[:word[0]]+"18446744073709551620"+good[word[1]:]) // 4 in 64 bits
		}
	}
}

// TestEveryArray repeats an item as often as the document lets an array have it, and once more.
func TestEveryArray(t *testing.T) {
	paths := newPaths()
	for _, test := range []struct {
		operation, array, item string
		most                   int
	}{
		{"registerNode", `"pools": [`, `"x%d",`, 256 - 2},
		{
			"registerNode", `"gpus": [`,
			`{"device_id":%d,"name":"a","vram_total_bytes":1,"compute_capability":"8.6"},`, 1024 - 1,
		},
		{"heartbeatNode", `"pools": [`, `{"pool_id":"x%d","ready":true,"slots_free":1},`, 256 - 2},
		{"heartbeatNode", `"models_available": [`, `"x%d",`, 1024 - 2},
	} {
		for more := range 2 {
			var items strings.Builder
			for i := range test.most + more {
				fmt.Fprintf(&items, test.item, i)
			}
			body := strings.Replace(goodBodies[test.operation], test.array, test.array+items.String(), 1)
			if fast, plain := paths.agree(t, test.operation, body); fast != (more == 0) || plain != fast {
				t.Errorf("%s with %d more items than may be: the fast path takes it: %t, the validator: %t", test.array,
					more, fast, plain)
			}
		}
	}
}

func FuzzFastPath(f *testing.F) {
	for _, good := range goodBodies {
		f.Add(good)
		for _, exception := range passedOver {
			f.Add(exception.example(good))
		}
	}
	for _, text := range []string{
		``, `{`, `{}`, ` {} `, `[]`, `null`, `{"timestamp":"2026-11-23T15:13:54Z","pools":[]}`,
		`{"timestamp":"2026-11-23T15:13:54Z","pools":[ ]}x`,
		`{"timestamp":"2026-11-23T15:13:54Z","pools":[,]}`, `{"timestamp":"2026-11-23T15:13:54Z","pools":[{}]}`,
		`{"timestamp":"","pools":[}]`,
		`{"timestamp":"2026-11-23T15:13:54Z","pools":[{"pool_id":"a","ready":true,"slots_free":-0}]}`,
		`{"timestamp":"2026-11-23T15:13:54Z","pools":[{"pool_id":"a","ready":true,"slots_free":01}]}`,
		`{"timestamp":"2026-11-23T15:13:54Z","pools":[{"pool_id":"a","ready":true,"slots_free":1}],}`,
		"{\"timestamp\":\"2026-11-23T15:13:54Z\",\"pools\":[{\"pool_id\":\"\xff\",\"ready\":true," +
			"\"slots_free\":999999999999999999999}]}",
	} {
		f.Add(text)
	}
	paths := newPaths()
	f.Fuzz(func(t *testing.T, text string) {
		for operation := range goodBodies {
			paths.agree(t, operation, text)
		}
	})
}

// TestFastPath draws bodies from the document, most of them good, and writes them as JSON
// in many ways.
func TestFastPath(t *testing.T) {
	paths := newPaths()
	for operation := range goodBodies {
		t.Run(operation, func(t *testing.T) {
			taken, bodies := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				body := drawn{t, rapid.SampledFrom([]int{0, 0, 1, 20}).Draw(t, "flaws in a hundred")}
				fast, _ := paths.agree(t, operation, body.text(body.value(paths.schema(operation).raw)))
				bodies++
				if fast {
					taken++
				}
			})
			if taken < bodies/8 {
				t.Errorf("only %d of %d bodies took the fast path", taken, bodies)
			}
		})
	}
}

// paths are the fast path and the slow one.
type paths struct{ *Document }

func newPaths() paths { return paths{Nodes()} }

func (p paths) schema(operation string) *Schema {
	for _, declared := range p.Operations {
		if declared.ID == operation {
			return declared.Bodies["application/json"]
		}
	}
	return nil
}

// agree fails the test unless both paths take a body for the same. It reports whether the
// fast one takes it, and whether it keeps the document and departs from it in nothing.
func (p paths) agree(t rapid.TB, operation, text string) (fast, plain bool) {
	t.Helper()
	buffer := []byte(text)
	got, fast := wire.Decode(operation, buffer)
	clear(buffer) // what was decoded must not care
	schema := p.schema(operation)
	value, err := Decode([]byte(text))
	if err == nil {
		broken := p.check(schema.raw, value, openapi3.VisitAsRequest())
		asItIs := func(name string) string { return name }
		plain = broken == nil && len(p.Departures(schema, value, broken, asItIs)) == 0
	}
	switch {
	case fast && !plain:
		t.Fatalf("the fast path takes what the validator does not: %q", text)
	case fast:
		refusedInService(t, operation, text)
		want := reflect.New(reflect.TypeOf(got).Elem()).Interface()
		plainly, err := json.Marshal(InCapitals(schema, value))
		if err == nil {
			err = json.Unmarshal(plainly, want) // it has no unknown names
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || !reflect.DeepEqual(want, got) {
			t.Fatalf("%q became (-want +got):\n%s", text, diff)
		}
	case plain:
		for _, exception := range passedOver {
			if exception.is(text) {
				return fast, plain
			}
		}
		t.Fatalf("the fast path passes over %q", text)
	}
	return fast, plain
}

// refusedInService fails the test if the orchestratord in service would refuse a body for anything but what it
// lacks.
func refusedInService(t rapid.TB, operation, text string) {
	t.Helper()
	document := InService()
	mismatch := FirstMismatch(document.body(operation), []byte(text))
	if mismatch != nil && !strings.HasPrefix(mismatch.Reason, "missing field") {
		t.Fatalf("the fast path takes what is refused in service: %s: %q", mismatch.Reason, text)
	}
}

// TestTypedAnswers draws values of answers. What Append writes means what encoding/json
// would write, and Check says of a value what the validator says of what Append writes.
func TestTypedAnswers(t *testing.T) {
	paths := newPaths()
	doc := map[string]func() any{
		"listNodes":     func() any { return new(nodeapi.NodeList) },
		"registerNode":  func() any { return new(nodeapi.RegisterResponse) },
		"heartbeatNode": func() any { return new(nodeapi.HeartbeatResponse) },
	}
	for _, declared := range paths.Operations {
		make, ok := doc[declared.ID]
		if !ok {
			continue
		}
		schema := declared.answer(200).raw.Content.Get("application/json").Schema.Value
		t.Run(declared.ID, func(t *testing.T) {
			good, values := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				answer := drawn{t, rapid.SampledFrom([]int{0, 0, 5, 20}).Draw(t, "flaws in a hundred")}
				value := make()
				text, _ := json.Marshal(answer.value(schema))
				if json.Unmarshal(text, value) != nil {
					t.Skip("no such value")
				}
				values++
				if paths.agreeOnAnswer(t, schema, value) {
					good++
				}
			})
			if good < values/4 {
				t.Errorf("only %d of %d values were good", good, values)
			}
		})
	}
}

func (p paths) agreeOnAnswer(t *rapid.T, schema *openapi3.Schema, value any) bool {
	text, err := wire.Append(nil, value)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	standard, _ := json.Marshal(value)
	want, _ := Decode(standard)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Append (-encoding/json +got):\n%s", diff)
	}
	checked, judged := wire.Check(value), p.check(schema, got, openapi3.VisitAsResponse())
	if (checked == nil) != (judged == nil) {
		t.Fatalf("%s\nCheck says %v, the validator %v", text, checked, judged)
	}
	return checked == nil
}
