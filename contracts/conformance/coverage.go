package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// largeBody is how many bytes a request must be allowed to have: half of what the
// orchestratord in service takes.
const largeBody = 1 << 20

// tryBounds tries a valid value at the bound of each rule of each request field.
func tryBounds(ctx context.Context, s *session) {
	s.coverNames(ctx)
	s.coverRegister(ctx)
	s.coverHeartbeat(ctx)
}

// coverRegister registers nodes, each with a different value at a bound.
func (s *session) coverRegister(ctx context.Context) {
	op, id := s.doc.operation(opRegister), pointer{s.doc.idField()}
	plain := op.whole
	all := slices.Concat(op.kept(), disguises(op.request, plain), []variant{large(plain)})
	for _, v := range all {
		if v.at.String() == id.String() {
			continue
		}
		s.begin()
		r, name := s.registry(), s.name()
		done := s.atLevel(cmp.Or(v.level, s.levelOf(ctx, op.id, v.body)))
		s.cover(op, v.at.String(), v.rule, false)
		if r.register(ctx, encode(with(v.body, id, name)), v.why(), v.enlarge) {
			r.beat(ctx, name, s.plainBeat(), "after a registration "+v.why())
			r.look(ctx)
			r.leave(ctx, name)
		}
		done()
	}
}

// coverHeartbeat sends heartbeats of one node, each with a different value at a bound.
func (s *session) coverHeartbeat(ctx context.Context) {
	op := s.doc.operation(opHeartbeat)
	r, name := s.registry(), s.name()
	if !r.register(ctx, s.plainRegister(name), "") {
		return
	}
	for _, v := range append(slices.Clip(op.kept()), large(op.whole)) {
		s.keepFirst(1)
		done := s.atLevel(cmp.Or(v.level, s.levelOf(ctx, op.id, v.body)))
		s.cover(op, v.at.String(), v.rule, false)
		if r.beat(ctx, name, encode(v.body), v.why(), v.enlarge) {
			r.look(ctx)
		}
		done()
	}
	r.leave(ctx, name)
}

// oddNames returns the longest and the strangest ids, and one that begins with a digit.
func (s *session) oddNames() []ruledText {
	schema := s.doc.idSchema()
	var found []ruledText
	for _, kind := range texts(schema)[1:] {
		name := s.name()
		rest := min(len(kind.value), int(*schema.MaxLength)-len(name))
		found = append(found, ruledText{kind.rule, name + kind.value[:rest]})
	}
	if digit := "0-" + s.name(); schema.VisitJSONString(digit) == nil {
		found = append(found, ruledText{"begins with a digit", digit})
	}
	return found
}

// coverNames takes nodes with the longest and the strangest names through their lives.
func (s *session) coverNames(ctx context.Context) {
	op, field := s.doc.operation(opRegister), s.doc.idField()
	for _, kind := range s.oddNames() {
		s.begin()
		r, name := s.registry(), kind.value
		s.cover(op, "/"+field, kind.rule, false)
		if r.register(ctx, s.plainRegister(name), "with the id "+short(name)) && r.look(ctx) {
			r.beat(ctx, name, s.plainBeat(), "with the id "+short(name))
			done := s.atLevel(Document) // nodes escape no more than they must
			r.beat(ctx, name, s.plainBeat(), "with all of the id escaped", func(c *call) {
				c.path = strings.Replace(c.op.path, c.op.parameter, escapeAll(name), 1)
			})
			done()
			r.look(ctx)
			r.leave(ctx, name)
			r.look(ctx)
		}
	}
}

// escapeAll percent-encodes every character of an id. By RFC 3986 it names the same node.
func escapeAll(id string) string {
	var text strings.Builder
	for _, b := range []byte(id) {
		fmt.Fprintf(&text, "%%%02X", b)
	}
	return text.String()
}

// large is a body of largeBody bytes, most of them in an unknown field.
func large(plain any) variant {
	return variant{
		at: pointer{largeField}, rule: fmt.Sprintf("body of %d bytes", largeBody), body: plain, large: largeBody,
	}
}

// enlarge makes the body of a call as large as the variant says. Encoding such a body, and reading it, takes long.
func (v variant) enlarge(c *call) {
	if v.large > 0 {
		c.body = enlarged(c.body, v.large)
	}
}

// why says what is special about a body.
func (v variant) why() string {
	if len(v.at) == 0 {
		return "with " + v.rule
	}
	return fmt.Sprintf("with %s: %s", v.at, v.rule)
}

// plainRegister is a registration with nothing special about it.
func (s *session) plainRegister(id string) []byte {
	return encode(with(s.doc.operation(opRegister).whole, pointer{s.doc.idField()}, id))
}

// plainBeat is a heartbeat with nothing special about it.
func (s *session) plainBeat() []byte { return encode(s.doc.operation(opHeartbeat).whole) }
