package conformance

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// ofTokens accept each form of a wrong token, and refuse the right one.
func ofTokens(doc *document) []sabotage {
	var all []sabotage
	accept := func(name string, ops []*operation, accepts func(r *http.Request) bool) {
		all = append(all, sabotage{name: name, level: Nodes, request: func(x *exchange) {
			if slices.Contains(ops, x.op) && accepts(x.r) {
				x.r.Header.Set("Authorization", "Bearer "+strengthToken)
			}
		}})
	}
	for _, form := range wrongCredentials(strengthToken) {
		for _, op := range doc.operations {
			accept(op.id+" accepts "+form.what, []*operation{op}, func(r *http.Request) bool {
				return slices.Equal(r.Header["Authorization"], form.values)
			})
		}
	}
	bearer := func(accepts func(token string) bool) func(r *http.Request) bool {
		return func(r *http.Request) bool {
			return accepts(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		}
	}
	for n := 1; n < len(strengthToken); n *= 2 {
		accept("a token counts by its first "+strconv.Itoa(n)+" characters", doc.operations, bearer(func(token string) bool {
			return strings.HasPrefix(token, strengthToken[:n])
		}))
		accept("a token counts by its last "+strconv.Itoa(n)+" characters", doc.operations, bearer(func(token string) bool {
			return strings.HasSuffix(token, strengthToken[len(strengthToken)-n:])
		}))
	}
	accept("any scheme counts", doc.operations, func(r *http.Request) bool {
		return strings.HasSuffix(r.Header.Get("Authorization"), " "+strengthToken)
	})
	accept("any header that has the token counts", doc.operations, func(r *http.Request) bool {
		return strings.Contains(r.Header.Get("Authorization"), strengthToken)
	})
	for _, op := range doc.operations {
		accept(op.id+" needs no token", []*operation{op}, func(*http.Request) bool { return true })
		all = append(all, sabotage{name: op.id + " accepts no token at all", level: Nodes, request: func(x *exchange) {
			if x.op == op {
				x.r.Header.Set("Authorization", "Bearer none")
			}
		}})
	}
	return all
}

// ofSilence break when a node goes offline.
func ofSilence() []sabotage {
	only := func(timeout time.Duration) func(*Options) {
		return func(o *Options) { o.NodeTimeout, o.Only = timeout, []string{"silence"} }
	}
	return []sabotage{
		{name: "a silent node is never offline", level: Nodes, options: only(500 * time.Millisecond)},
		{name: "a silent node is offline too early", level: Nodes, options: only(time.Minute), mock: []mockserver.Option{
			mockserver.WithHeartbeatInterval(time.Second), mockserver.WithNodeTimeout(2 * time.Second),
		}},
	}
}
