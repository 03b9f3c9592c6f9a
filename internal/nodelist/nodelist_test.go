package nodelist_test

import (
	"io"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/nodelist"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

func TestRead(t *testing.T) {
	for list, want := range map[string]struct{ ids, fault string }{
		`{"nodes":[{"node_id":"a"},{"node_id":"b"}],"count":2}`:                              {ids: "a b"},
		`{"errors":[],"more":{"nodes":[1]},"nodes":[{"node_id":"a"}]}`:                       {ids: "a"},
		`{"nodes":[{"node_id":"a","pools":"none"},{"node_id":7}],"count":2}`:                 {ids: "a "},
		`{"nodes":[{"Node_ID":"b","node_id":"a","NODE_ID":"c"},{"Node_ID":"b"}],"Nodes":[]}`: {ids: "a "},
		`{"nodes":[]}`:                   {},
		`{}`:                             {fault: "it has no nodes"},
		`{"nodes":null}`:                 {fault: "there is <nil> where [ should be"},
		`{"nodes":[{"node_id":"a"}`:      {ids: "a", fault: "EOF"},
		`{"nodes":[{"node_id":"a"}]`:     {ids: "a", fault: "EOF"},
		`{"nodes":[{"node_id":"a"},"b]}`: {ids: "a", fault: "unexpected EOF"},
		`{"count":0`:                     {fault: "EOF"},
		`[]`:                             {fault: "there is [ where { should be"},
		``:                               {fault: "EOF"},
	} {
		var ids []string
		err := nodelist.Read(strings.NewReader(list), 1<<16, func(n nodeapi.Node) { ids = append(ids, n.NodeID) })
		if got := strings.Join(ids, " "); got != want.ids || textOf(err) != want.fault {
			t.Errorf("%s: read %q, want %q; error is %v, want %q", list, got, want.ids, err, want.fault)
		}
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What nobody visits may break off.
func TestWhetherThereIsAList(t *testing.T) {
	for list, want := range map[string]string{
		`{"count":2,"nodes":[`: "",
		`{"count":2}`:          "it has no nodes",
	} {
		if err := nodelist.Read(strings.NewReader(list), 1<<16, nil); textOf(err) != want {
			t.Errorf("%s: error is %v, want %q", list, err, want)
		}
	}
}

// A list that has no end, or a node in it, takes no more memory than lists may.
func TestAListWithoutEnd(t *testing.T) {
	for _, test := range []struct{ begin, chunk string }{
		{`{"nodes":[{"node_id":"`, "a"},
		{`{"nodes":[`, `{"node_id":"a"},`},
		{`{"`, "n"},
	} {
		read := 0
		err := nodelist.Read(io.MultiReader(strings.NewReader(test.begin), &repeating{chunk: test.chunk}), 1<<16,
			func(nodeapi.Node) { read++ })
		if textOf(err) != "it is longer than 65536 bytes" || read > 1<<12 {
			t.Errorf("%s: %v, after %d nodes", test.begin, err, read)
		}
	}
}

// repeating reads as a text again and again.
type repeating struct {
	chunk string
	at    int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := copy(p, r.chunk[r.at:])
	r.at = (r.at + n) % len(r.chunk)
	return n, nil
}
