package journal_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// TestContent reads what bodies say, those that break the contract too.
func TestContent(t *testing.T) {
	pool := `{"pool_id":"pool-0","ready":true,"slots_free":1}`
	for _, test := range []struct {
		operation control.Operation
		body      string
		status    int
		answer    string
		want      string
	}{
		{control.OperationHeartbeatNode, `{"pools":[` + pool + `]}`, 200, "", "pool-0 ready, 1 slot free"},
		{
			control.OperationHeartbeatNode, `{"pools":[{"pool_id":"a","engine":1,"slots_free":0,` +
				`"slots_total":2},{"pool_id":"b","ready":true,"draining":true}]}`, 200, "",
			"a not ready, 0 of 2 slots free · b draining, 0 slots free",
		},
		{
			control.OperationHeartbeatNode, `{"pools":[` + strings.Repeat(pool+",", 4) + pool + `]}`, 204, "",
			strings.Repeat("pool-0 ready, 1 slot free · ", 3) + "2 more",
		},
		{control.OperationHeartbeatNode, `{"pools":[` + pool + `]}`, 0, "", "pool-0 ready, 1 slot free"},
		{control.OperationHeartbeatNode, `{"pools":[]}`, 200, "", ""},
		{
			control.OperationHeartbeatNode, `{"pools":[` + strings.Replace(pool, "{", `{"Draining":true,`, 1) +
				`],"Pools":[]}`, 200, "", "pool-0 ready, 1 slot free",
		},
		{control.OperationRegisterNode, `{"pools":["a","b","c","d"]}`, 200, "", "a · b · c · 1 more"},
		{control.OperationRegisterNode, `{"pools":["a"],"Pools":["b"]}`, 200, "", "a"},
		{control.OperationHeartbeatNode, `rubbish`, 200, "", ""},
		{control.OperationRegisterNode, fitting, 200, "", "2 GPUs · pool-0 · pool-1"},
		{control.OperationRegisterNode, `{"pools":["a\u202eb"]}`, 200, "", "a<U+202E>b"},
		{control.OperationRegisterNode, `{"pools":["a"],"capabilities":{"gpu_count":0}}`, 200, "", "a"},
		{control.OperationRegisterNode, `{"pools":["a"],"capabilities":{"gpu_count":1}}`, 200, "", "1 GPU · a"},
		{control.OperationRegisterNode, `{"pools":[],"capabilities":{"gpu_count":2}}`, 200, "", "2 GPUs"},
		{control.OperationDeregisterNode, fitting, 200, "", ""},
		{control.OperationListNodes, "", 200, `{"nodes":[]}`, ""},
		{
			control.OperationRegisterNode, "{}", 422,
			`{"errors":[{"pointer":"/pools","detail":"is missing"},{"pointer":"/b","detail":"c"}]}`,
			"/pools is missing, and 1 more",
		},
		{
			control.OperationRegisterNode, "{}", 422, `{"errors":[{"pointer":"","detail":"is empty"}]}`,
			"the body is empty",
		},
		{control.OperationHeartbeatNode, "{}", 400, `{"detail":"no such node"}`, "no such node"},
		{control.OperationHeartbeatNode, "{}", 400, `{"Detail":"no such node"}`, ""},
		{control.OperationHeartbeatNode, "{}", 502, `<html>`, ""},
	} {
		events := journal.New(1)
		e := beat("gpu-node-1")
		e.Operation, e.RequestBody, e.Vetted, e.Status = test.operation, []byte(test.body), false, test.status
		e.AnswerBody = []byte(test.answer)
		events.Exchange(e)
		got := ""
		if entry, _ := events.Entry(1); entry.Content != nil {
			got = *entry.Content
		}
		if got != test.want {
			t.Errorf("%s %s\ngot  %q\nwant %q", test.operation, test.body, got, test.want)
		}
	}
}

// TestContentOfHalf reads bodies that break off.
func TestContentOfHalf(t *testing.T) {
	for body, want := range map[string]string{
		`{"pools":[{"pool_id":"a","slots_free":2}`:                `a not ready, 2 slots free`,
		`{"pools":[{"pool_id":"a","slots_free":2}]`:               `a not ready, 2 slots free`,
		`{"pools":[{"pool_id":"a","ready":true,"slots_free":2`:    `a ready, 0 slots free`,
		`{"pools":[{"pool_id":"a","slots_free":2},{"pool_id":"b"`: `a not ready, 2 slots free`,
		`{"pools":[{"pool_id":"a"},{"pool_id":"b","slots`: `a not ready, 0 slots free` +
			` · b not ready, 0 slots free`,
		`{"pools":[{"pool_id":"a}],{[\\\",\\","slots_free":2},{"pool_id":"`: `a}],{[\",\ not ready, 2 slots free`,
		`{"pools":[{"pool_id":"a","models":["x","y],`:                       `a not ready, 0 slots free`,
		`]}{"pools":[{"pool_id":"a"}`:                                       ``,
		`]`:                                                                 ``,
	} {
		events := journal.New(1)
		events.Exchange(journal.Exchange{
			Operation: control.OperationHeartbeatNode, RequestBody: []byte(body), Status: 200,
		})
		got := ""
		if entry, _ := events.Entry(1); entry.Content != nil {
			got = *entry.Content
		}
		if got != want {
			t.Errorf("%s\ngot  %q\nwant %q", body, got, want)
		}
	}
}

func TestContentIsBounded(t *testing.T) {
	events := journal.New(1)
	e := beat("gpu-node-1")
	e.RequestBody = []byte(`{"pools":[{"pool_id":"` + strings.Repeat("\x01é", 1<<10) + `"}]}`)
	events.Exchange(e)
	if entry, _ := events.Entry(1); entry.Content != nil && utf8.RuneCountInString(*entry.Content) > 256 {
		t.Errorf("%d characters", utf8.RuneCountInString(*entry.Content))
	}
}

const fitting = `{"pools":["pool-0","pool-1"],"capabilities":{"gpu_count":2}}`
