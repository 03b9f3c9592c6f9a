package conformance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// tryConnections makes calls over every kind of connection that may lie between a node and
// its orchestratord, with the headers that proxies add.
func tryConnections(ctx context.Context, s *session) {
	r := s.settle(ctx)
	if r == nil {
		return
	}
	r.carryOn(ctx, fresh, chunked, lower)
	for _, h := range headers() {
		done := s.atLevel(cmp.Or(h.level, Nodes))
		r.carry(ctx, h.how(), func(c *call) {
			c.badEcho, c.header = h.badEcho, http.Header{h.name: {h.value}}
			if len(h.value) > longHeader {
				c.line = fresh
			}
		})
		done()
	}
	done := r.atLevel(Document)
	r.carry(ctx, "with many headers", func(c *call) { c.header = manyHeaders() })
	done()
	r.carryOn(ctx, oldHTTP, duplex, absolute, kept) // all but the last without a user agent
	r.bareHead(ctx)
	r.noSwitch(ctx)
	r.spell(ctx)
	r.leave(ctx, r.id)
}

// carryOn makes each call of a node's life over kinds of connections.
func (r *resident) carryOn(ctx context.Context, lines ...connection) {
	for _, line := range lines {
		if !r.carries(line) {
			continue
		}
		done := r.atLevel(levelOfLine(line))
		r.carry(ctx, "carried as "+string(line), func(c *call) { c.line = line })
		done()
	}
}

// carries reports whether a kind of connection reaches orchestratord, and has the report say if it does not: a
// proxy makes its own connections.
func (s *session) carries(line connection) bool {
	if line != oldHTTP && line != duplex && line != absolute || !s.prober.hasProxy() {
		return true
	}
	s.doubt = "behind a proxy: nothing over HTTP/1.0, no whole URL, and no answer read while the request is written"
	return false
}

// levelOfLine returns the level at which a call over this kind of connection has to be
// understood. Chunked bodies and whole URLs count at level Document, because no node sends them.
func levelOfLine(line connection) Level {
	if line == chunked || line == absolute {
		return Document
	}
	return Nodes
}

// carry makes each call of a node's life over one kind of connection.
func (r *resident) carry(ctx context.Context, how string, change func(*call)) {
	r.begin()
	r.register(ctx, r.plainRegister(r.id), how, change)
	r.beat(ctx, r.id, r.plainBeat(), how, change)
	listing := call{op: r.doc.operation(opList)}
	change(&listing)
	r.expect(ctx, listing, how, listing.op.success())
	before, guest := r.trail, r.name()
	r.begin()
	if r.register(ctx, r.plainRegister(guest), how) {
		r.leave(ctx, guest, change)
	}
	r.trail = append(before, r.trail...)
	r.look(ctx)
}

// bareHead checks that nothing follows the header of an answer to HEAD (RFC 9110, section 9.3.2). Over a connection
// that is used again it would be read as the next answer.
func (r *resident) bareHead(ctx context.Context) {
	if !r.carries(duplex) {
		return
	}
	r.begin()
	c := call{op: r.doc.operation(opList), method: http.MethodHead, line: duplex}
	if a, err := r.ask(ctx, c); err == nil && len(a.body) > 0 {
		r.find(Document, c.op, "body for the method HEAD", "none", describeStatus(a))
	}
}

// noSwitch checks that nobody switches to a protocol that does not exist. Whoever does takes any for its own, and
// leaves a caller who has only offered one without an answer.
func (r *resident) noSwitch(ctx context.Context) {
	r.begin()
	header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"conform/1"}}
	c := call{op: r.doc.operation(opList), header: header, line: fresh}
	if a, err := r.ask(ctx, c); err == nil && a.status == http.StatusSwitchingProtocols {
		r.find(Document, c.op, "status with Upgrade: conform/1", "no switch to a protocol that does not exist",
			describeStatus(a))
	}
}

// spell makes calls whose bodies and paths are spelt as clients in other languages spell them.
func (r *resident) spell(ctx context.Context) {
	for _, spelling := range []struct {
		how  string
		body func([]byte) []byte
	}{
		{"with a body in several lines", func(body []byte) []byte {
			var lines bytes.Buffer
			_ = json.Indent(&lines, body, "", "\t") // of JSON that was encoded just now
			return append(bytes.ReplaceAll(lines.Bytes(), []byte("\n"), []byte("\r\n")), '\n')
		}},
		{"with a body with escapes", func(body []byte) []byte {
			body = bytes.ReplaceAll(body, []byte("-"), []byte(`\u002d`)) // all of them are inside texts
			body = bytes.ReplaceAll(body, []byte("_"), []byte(`\u005f`)) // and these in names of fields too
			return bytes.ReplaceAll(body, []byte("😀"), []byte(`\ud83d\ude00`))
		}},
	} {
		r.begin()
		r.register(ctx, spelling.body(r.smiling(opRegister)), spelling.how)
		r.beat(ctx, r.id, spelling.body(r.smiling(opHeartbeat)), spelling.how)
		r.look(ctx)
	}
	const how = "with a colon in the path as %3A"
	escape := func(c *call) { c.path = strings.ReplaceAll(c.op.target(c.node), ":", "%3A") }
	guest := r.name() + ":0"
	r.begin()
	if r.register(ctx, r.plainRegister(guest), how) {
		done := r.atLevel(Document) // RFC 3986 has large letters for those who write
		r.beat(ctx, guest, r.plainBeat(), "with a colon in the path as %3a", func(c *call) {
			c.path = strings.ReplaceAll(c.op.target(c.node), ":", "%3a")
		})
		done()
		r.beat(ctx, guest, r.plainBeat(), how, escape)
		r.leave(ctx, guest, escape)
	}
	r.look(ctx)
}

// smiling is a plain body with a character in it that takes two escapes, wherever one may be.
func (r *resident) smiling(op string) []byte {
	spec := r.doc.operation(op)
	body := disguised(spec.request, spec.whole, nil, "😀")
	if op == opRegister {
		body = with(body, pointer{r.doc.idField()}, r.id)
	}
	return encode(body)
}

// header is one that a call may have.
type header struct {
	name, value string
	badEcho     bool  // whether an answer that echoes it breaks the document
	level       Level // at which it has to be taken; empty for Nodes
}

// how says which header a call has.
func (h header) how() string {
	if h.name == userAgent && h.value == "" {
		return "without " + h.name
	}
	return "with " + h.name + " " + short(h.value)
}

// userAgent is the header that net/http leaves out if it is empty, as nodes in Rust do.
const userAgent = "User-Agent"

// longHeader is the length, in bytes, beyond which a header is sent on a connection of its own. Some
// servers take less there than on one that is used again.
const longHeader = 500

// headers are those that nodes send, and those that proxies add.
func headers() []header {
	const id = "4f1c9d2e-7a30-4b8e-9c55-0d6f1a2b3c4d"
	return []header{
		{userAgent, "llama-orch-node-registration", false, ""},
		{userAgent, "", false, ""},
		{"Accept", "*/*", false, ""},
		{"Accept", "application/json, application/problem+json;q=0.9", false, ""},
		{"Content-Type", "application/json; charset=utf-8", false, Document},
		{"Content-Type", "Application/JSON; Charset=UTF-8", false, Document},
		{"Content-Type", `application/json; charset="utf-8"`, false, Document},
		{"Content-Type", "application/json; version=1", false, Document}, // unknown ones do not count (RFC 2045)
		{"Accept-Encoding", "identity", false, Document},                 // from clients in Python
		{"Cookie", "theme=dark; lang=en", false, Document},
		{"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false, ""},
		{"Traceparent", "not a trace", false, ""},
		{"Tracestate", members(32, 15), false, ""}, // 512 characters have to be passed on (W3C Trace Context)
		{"Baggage", members(64, 64), false, ""},    // and 64 members (W3C Baggage)
		{correlationHeader, id, false, ""},
		{correlationHeader, strings.Repeat("c", 128), false, ""},
		{correlationHeader, "C._:-9", false, ""},
		{correlationHeader, strings.Repeat("c", 1000), true, ""},
		{correlationHeader, "not fit; for this", true, ""},
		{correlationHeader, "", true, ""},
		{"X-Forwarded-For", "192.0.2.1, 192.0.2.2", false, ""},
		{"Forwarded", "for=192.0.2.1;proto=https", false, ""},
		{"Via", "1.1 proxy", false, ""},
		{"Cache-Control", "no-cache", false, ""},
		{"Expect", "100-continue", false, Document}, // curl sends it before a large body
	}
}

// manyHeaders are as many as a row of proxies may add. Servers that have a limit take 100 or more.
func manyHeaders() http.Header {
	header := http.Header{}
	for i := range 50 {
		header.Set(fmt.Sprintf("X-Conform-%d", i), "1")
	}
	return header
}

// members returns a list of members of one length, as trace context has them.
func members(count, length int) string {
	list := make([]string, count)
	for i := range list {
		key := fmt.Sprintf("m%d=", i)
		list[i] = key + strings.Repeat("v", length-len(key))
	}
	return strings.Join(list, ",")
}
