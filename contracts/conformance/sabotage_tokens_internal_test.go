package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// ofTokens accept each form of a wrong token, and refuse the right one.
func ofTokens(doc *document) []sabotage {
	all := ofLooseTokens()
	for _, op := range doc.operations {
		all = append(all, ofOpenLines(op)...)
		for _, form := range wrongCredentials(strengthToken) {
			all = append(all, accepting(op.id+" accepts "+form.what, op, func(r *http.Request) bool {
				return form.isOf(r)
			}))
		}
		all = append(all, accepting(op.id+" needs no token", op, func(*http.Request) bool { return true }))
		all = append(all, onRequest(op.id+" accepts no token at all", func(x *exchange) {
			if x.op == op {
				x.r.Header.Set("Authorization", "Bearer none")
			}
		}))
	}
	return all
}

// ofOpenLines ask for no token, or for no right one, over a kind of connection.
func ofOpenLines(op *operation) []sabotage {
	old := func(r *http.Request) bool { return r.ProtoMinor == 0 }
	has := func(r *http.Request) bool { return r.Header[authorization] != nil }
	lines := map[string]func(r *http.Request) bool{
		"HTTP/1.0":                   old,
		"HTTP/1.0, if there is one":  func(r *http.Request) bool { return old(r) && has(r) },
		"HTTP/1.0, if there is none": func(r *http.Request) bool { return old(r) && !has(r) },
		"a connection of one call":   func(r *http.Request) bool { return r.Close && !old(r) },
	}
	var all []sabotage
	for line, is := range lines {
		all = append(all, accepting(op.id+" accepts any token over "+line, op, is))
	}
	if op.request != nil {
		inChunks := func(r *http.Request) bool { return r.ContentLength < 0 }
		s := accepting(op.id+" accepts any token with chunks", op, inChunks)
		s.level = Document
		all = append(all, s)
	}
	return all
}

// isOf reports whether a call carries its token in this form.
func (c credential) isOf(r *http.Request) bool {
	for name, values := range c.header {
		if !slices.Equal(r.Header[name], values) {
			return false
		}
	}
	inQuery := c.query == "" || c.query == "?"+r.URL.RawQuery
	return inQuery && slices.Equal(r.Header[authorization], c.header[authorization])
}

// accepting accepts calls of an operation, of any where that is nil.
func accepting(name string, op *operation, accepts func(r *http.Request) bool) sabotage {
	s := onRequest(name, func(x *exchange) {
		if x.op != nil && (op == nil || x.op == op) && accepts(x.r) {
			x.r.Header.Set("Authorization", "Bearer "+strengthToken)
		}
	})
	s.culprit = "401"
	return s
}

// ofLooseTokens compare tokens in part.
func ofLooseTokens() []sabotage {
	var all []sabotage
	accept := func(name string, accepts func(given string) bool) {
		all = append(all,
			accepting(name, nil, func(r *http.Request) bool { return accepts(r.Header.Get("Authorization")) }))
	}
	bare := func(given string) string { return strings.TrimPrefix(given, "Bearer ") }
	for n := 1; n < len(strengthToken); n *= 2 {
		accept(fmt.Sprintf("a token counts by its first %d characters", n), func(given string) bool {
			return strings.HasPrefix(bare(given), strengthToken[:n])
		})
		accept(fmt.Sprintf("a token counts by its last %d characters", n), func(given string) bool {
			return strings.HasSuffix(bare(given), strengthToken[len(strengthToken)-n:])
		})
	}
	accept("the scheme in small letters needs no token",
		func(given string) bool { return strings.HasPrefix(given, "bearer ") })
	accept("any other scheme needs no token",
		func(given string) bool { return given != "" && !strings.HasPrefix(given, "Bearer ") })
	accept("any scheme counts", func(given string) bool { return strings.HasSuffix(given, " "+strengthToken) })
	accept("any header that has the token counts",
		func(given string) bool { return strings.Contains(given, strengthToken) })
	return append(all,
		accepting("a token counts in any header", nil, func(r *http.Request) bool { return holdsToken(r.Header) }),
		accepting("a token counts in any header if there is none in its own", nil, func(r *http.Request) bool {
			return r.Header.Get(authorization) == "" && holdsToken(r.Header)
		}),
		accepting("a token counts in any header if its own has a wrong one", nil, func(r *http.Request) bool {
			return r.Header.Get(authorization) != "" && holdsToken(r.Header)
		}))
}

// holdsToken reports whether any header has the token.
func holdsToken(header http.Header) bool {
	for _, values := range header {
		if strings.Contains(strings.Join(values, " "), strengthToken) {
			return true
		}
	}
	return false
}

// ofSilence break when a node goes offline.
func ofSilence() []sabotage {
	only := func(timeout time.Duration) func(*Options) {
		return func(o *Options) { o.NodeTimeout, o.Only = timeout, []string{"silence"} }
	}
	return []sabotage{
		{name: "a silent node is never offline", level: Nodes, options: only(500 * time.Millisecond)},
		{
			name: "the next heartbeat is beyond a short node timeout", level: Nodes, culprit: "next_heartbeat_ms",
			options: only(4 * time.Second), mock: []mockserver.Option{
				mockserver.WithHeartbeatInterval(time.Second), mockserver.WithNodeTimeout(4 * time.Second),
			},
			answer: func(x *exchange) {
				if x.succeeded(opHeartbeat) {
					x.body = put(x.body, pointer{"next_heartbeat_ms"}, 8000)
				}
			},
		},
		{
			name: "a silent node is offline too early", level: Nodes, options: only(time.Minute),
			mock: []mockserver.Option{
				mockserver.WithHeartbeatInterval(time.Second), mockserver.WithNodeTimeout(2 * time.Second),
			},
		},
	}
}
