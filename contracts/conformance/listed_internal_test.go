package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/internal/memnet"
	"github.com/llama-orch/node-registration/openapi"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// entry is a node as a list has it.
func entry(t *testing.T, id string) string {
	t.Helper()
	at := time.Now().UnixMilli()
	text, err := json.Marshal(nodeapi.Node{
		NodeID: id, MachineID: "m", Address: exampleAddress, Pools: []string{}, Status: nodeapi.NodeStatusOnline,
		RegisteredAtMs: at, LastHeartbeatMs: &at, Capabilities: nodeapi.ReportedCapabilities{Gpus: &[]nodeapi.GPU{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// saying is an entry that has another field, with a text as JSON has it.
func saying(entry, text string) string { return `{"x-text":"` + text + `",` + entry[1:] }

// listOf is a list with entries.
func listOf(count int, entries ...string) string {
	return fmt.Sprintf(`{"nodes":[%s],"count":%d}`, strings.Join(entries, ","), count)
}

// asJSON returns the nodes of a list, and nothing if it could not be read.
func (l *listed) asJSON() string {
	if l == nil {
		return ""
	}
	return string(encode(l.nodes))
}

// judged returns the last of several lists, and what is found in it.
func judged(t *testing.T, document []byte, bodies ...string) (last *answer, found []string) {
	t.Helper()
	r, err := newRun(Options{URL: memnet.URL, Level: Document, Document: document})
	if err != nil {
		t.Fatal(err)
	}
	op := r.doc.operation(opList)
	var s *session
	for i, body := range bodies {
		s = r.session("test")
		last = &answer{call: call{op: op}, status: op.success(), body: []byte(body), header: http.Header{
			"Content-Type": {"application/json"}, "Cache-Control": {"no-store"},
			correlationHeader: {fmt.Sprint("a-correlation-id-", i)},
		}}
		s.judge(last)
	}
	for _, f := range s.found {
		found = append(found, f.String())
	}
	return last, found
}

// TestAListIsJudgedTheSameAfterAnother has lists judged on their own, and after one with two of their nodes.
func TestAListIsJudgedTheSameAfterAnother(t *testing.T) {
	a, b, c := entry(t, "a"), entry(t, "b"), entry(t, "c")
	for name, body := range map[string]string{
		"the same":                        listOf(2, a, b),
		"in another order":                listOf(2, b, a),
		"one more":                        listOf(3, a, c, b),
		"one less":                        listOf(1, b),
		"none":                            listOf(0),
		"a wrong count":                   listOf(3, a, b),
		"a count of another type":         `{"nodes":[` + a + `,` + b + `],"count":"2"}`,
		"no count":                        `{"nodes":[` + a + `,` + b + `]}`,
		"the count first":                 `{"count":3,"nodes":[` + a + `,` + c + `,` + b + `]}`,
		"written in lines":                "{\n\"nodes\" : [ " + a + ",\r\n" + c + "\t] ,\n\"count\": 2 }\n",
		"one twice":                       listOf(3, a, b, a),
		"a new one twice":                 listOf(3, a, c, c),
		"a new one that is broken":        listOf(3, a, strings.Replace(c, `"machine_id":"m",`, "", 1), b),
		"a known one that is broken":      listOf(2, a, strings.Replace(b, `"Online"`, `"online"`, 1)),
		"a known one that is cut off":     listOf(2, a, b[:len(b)-1]),
		"a field twice":                   listOf(3, a, `{"node_id":"c",`+c[1:], b),
		"null":                            listOf(3, a, "null", b),
		"null instead of a known one":     listOf(2, "null", b),
		"a number":                        listOf(3, a, "0", b),
		"a list within":                   listOf(3, a, "["+c+"]", b),
		"a list of known ones within":     listOf(2, a, "["+b+"]"),
		"two commas":                      listOf(2, a, "", b),
		"a comma at the end":              listOf(2, a, b, ""),
		"no comma":                        listOf(2, a+b),
		"a brace too many":                listOf(2, a+"}", b),
		"a bracket too many":              listOf(2, a+"]", b),
		"cut off":                         `{"nodes":[` + a + `,` + b,
		"more after it":                   listOf(2, a, b) + "{}",
		"deeper":                          `{"list":` + listOf(2, a, b) + `}`,
		"deeper, and empty":               `{"list":` + listOf(0) + `,"count":0}`,
		"an escape":                       listOf(3, a, saying(c, `\u0063`), b),
		"half a surrogate pair":           listOf(3, a, saying(c, `\ud83d`), b),
		"brackets in texts":               listOf(3, a, saying(c, `]}[{\"`), b),
		"another list by a similar name":  `{"nodes":[` + a + `,` + b + `],"Nodes":[` + a + `,` + c + `],"count":2}`,
		"null by a similar name":          `{"nodes":[` + a + `,` + b + `],"Nodes":null,"count":2}`,
		"another list before it":          `{"others":[` + a + `],"nodes":[` + a + `,` + b + `],"count":2}`,
		"the nodes twice":                 `{"nodes":[` + a + `,` + b + `],"nodes":[` + a + `],"count":1}`,
		"a name that only ends like that": `{"other\"nodes":[` + a + `,` + b + `],"count":2}`,
		"no list":                         `"nodes"`,
		"a time of another century":       listOf(2, a, strings.Replace(b, `_at_ms":`, `_at_ms":9`, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			alone, want := judged(t, nil, body)
			after, got := judged(t, nil, listOf(2, a, b), body)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("found %v, on its own %v", got, want)
			}
			if got, want := after.listed.asJSON(), alone.listed.asJSON(); got != want {
				t.Errorf("read %s, on its own %s", got, want)
			}
		})
	}
}

// TestRulesForAWholeListHoldAfterAnother has documents that say more of a list than of its entries.
func TestRulesForAWholeListHoldAfterAnother(t *testing.T) {
	a, b, c := entry(t, "a"), entry(t, "b"), entry(t, "c")
	for rule, body := range map[string]string{
		"maxItems: 2":       listOf(3, a, b, c),
		"uniqueItems: true": listOf(3, a, b, b),
	} {
		document := bytes.Replace(openapi.Nodes, []byte("maxItems: 1000000"), []byte(rule), 1)
		_, found := judged(t, document, listOf(2, a, b), body)
		if !strings.Contains(fmt.Sprint(found), "item") {
			t.Errorf("%s: found %v", rule, found)
		}
	}
}

// TestHalvesAreCountedInTheWholeList has two lists with half of a character in one entry. In the first the half passes
// unnoticed, since another entry seems to have U+FFFD. Its entry must not count as known in the second.
func TestHalvesAreCountedInTheWholeList(t *testing.T) {
	text, half := saying(entry(t, "a"), `\\ufffd`), saying(entry(t, "b"), `\ud83d`)
	if _, found := judged(t, nil, listOf(2, text, half)); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	_, found := judged(t, nil, listOf(2, text, half), listOf(1, half))
	if !strings.Contains(fmt.Sprint(found), "half") {
		t.Errorf("found %v", found)
	}
}

// TestWhatIsKnownOfAListIsNotJudgedAgain has one node come and one leave.
func TestWhatIsKnownOfAListIsNotJudgedAgain(t *testing.T) {
	a, b, c := entry(t, "a"), saying(entry(t, "b"), `]}[{\"`), entry(t, "c")
	before, _ := judged(t, nil, listOf(2, a, b))
	news, entries := abridged(listOf(2, b, c), before.listed.known)
	if want := listOf(2, "null", c); string(news) != want {
		t.Errorf("got %s, want %s", news, want)
	}
	if !slices.Equal(entries, []string{b, c}) {
		t.Errorf("entries are %q", entries)
	}
	after := &answer{call: before.call, body: []byte(listOf(2, b, c))}
	if r, err := newRun(Options{URL: memnet.URL}); err != nil || !r.session("test").judgeNews(after, before.listed) {
		t.Errorf("it is not decided (error %v)", err)
	}
	if after.listed == nil || after.listed.nodes[0] != before.listed.nodes[1] {
		t.Error("a known node was read again")
	}
}
