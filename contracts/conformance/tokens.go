package conformance

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// tryTokens tries every form of a wrong token on every operation. Where no token is
// needed, any must be accepted.
func tryTokens(ctx context.Context, s *session) {
	r := s.settle(ctx)
	if r == nil {
		return
	}
	if s.prober.token == "" {
		r.anyToken(ctx)
	} else {
		r.wrongTokens(ctx)
	}
	r.leave(ctx, r.id)
}

// wrongTokens checks that a wrong token gets 401 and changes nothing (CLOUD-4005).
func (r *resident) wrongTokens(ctx context.Context) {
	for _, wrong := range wrongCredentials(r.prober.token) {
		for _, op := range r.doc.operations {
			r.denied(ctx, r.ordinary(op, r.id), wrong)
		}
		// A caller without a valid token must not learn whether a node exists.
		for _, id := range []string{opHeartbeat, opDeregister} {
			r.denied(ctx, r.ordinary(r.doc.operation(id), r.name()), wrong)
		}
	}
	r.deniedFirst(ctx)
	r.deniedAround(ctx)
	r.deniedOverAll(ctx)
	r.deniedInBody(ctx)
	r.inAnyCase(ctx)
}

// deniedInBody checks that a body is no place for the token. RFC 6750 has one in a form (section 2.2), and some
// servers look for that name in JSON.
func (r *resident) deniedInBody(ctx context.Context) {
	done := r.atLevel(Document)
	defer done()
	for c := range r.withBodies() {
		c.secret = true
		named := slices.Concat([]byte(`{"access_token":`), encode(r.prober.token), []byte(","))
		c.body = slices.Concat(named, c.body[1:])
		r.denied(ctx, c, credential{what: "the token in the body"})
		c.body = []byte(url.Values{"access_token": {r.prober.token}}.Encode())
		r.denied(ctx, c, credential{what: "the token in a form"}.and("", "Content-Type", otherMedia[0]))
	}
}

// inAnyCase checks that the scheme of the token may be in any case (RFC 9110, section 11.1).
func (r *resident) inAnyCase(ctx context.Context) {
	if r.doc.exact {
		return
	}
	done := r.atLevel(Document)
	defer done()
	small := spelt(r.prober.token, "the scheme bearer in small letters", "bearer "+inShell)
	for _, id := range []string{opList, opHeartbeat} {
		c := r.ordinary(r.doc.operation(id), r.id).with(small)
		r.expect(ctx, c, "with "+small.what, c.op.success())
	}
}

// deniedOverAll checks that the token counts over every kind of connection.
func (r *resident) deniedOverAll(ctx context.Context) {
	forms := []credential{{what: "no token"}, spelt("", "another token", "Bearer wrong")}
	for _, line := range []connection{fresh, chunked, lower, oldHTTP} {
		if !r.carries(line) {
			continue
		}
		done := r.atLevel(levelOfLine(line))
		for _, op := range r.doc.operations {
			c := r.ordinary(op, r.id)
			c.line = line
			for _, wrong := range forms {
				wrong.what += ", carried as " + string(line)
				if !wrong.valid(r.prober.token) && (c.body != nil || line != chunked) {
					r.denied(ctx, c, wrong)
				}
			}
		}
		done()
	}
}

// deniedAround checks that no other spelling of a path leads around the token, and no other method.
func (r *resident) deniedAround(ctx context.Context) {
	for _, op := range r.doc.operations {
		for _, spell := range []func(path, id string) string{
			func(path, _ string) string { return "/" + path },
			func(path, _ string) string { return path + "/" },
			func(path, _ string) string { return strings.Replace(path, "/v2", "/%76%32", 1) },
			func(path, id string) string { return strings.Replace(path, id, escapeAll(id), 1) },
		} {
			c := r.ordinary(op, r.id)
			if c.path, c.noToken = spell(op.target(r.id), r.id), true; c.path != op.target(r.id) {
				r.deniedElsewhere(ctx, c, "no token, and the path spelt "+spell(op.path, op.parameter))
			}
		}
	}
	c := call{op: r.doc.operation(opList), method: http.MethodHead, noToken: true}
	if a, err := r.ask(ctx, c); err == nil && a.status == c.op.success() {
		const how = "no token, and the method HEAD"
		r.find(Document, c.op, "status with "+how, "401, or another refusal", describeStatus(a))
	}
}

// deniedElsewhere makes a call to another path. Orchestratord may answer it with a page, but must not
// do what the operation does.
func (r *resident) deniedElsewhere(ctx context.Context, c call, how string) {
	r.keepFirst(2)
	a, err := r.ask(ctx, c)
	switch {
	case err != nil:
		r.restore(ctx)
	case a.status == c.op.success() && a.hasResult():
		r.find(Nodes, c.op, "status with "+how, "401, or another refusal", describeStatus(a))
		r.restore(ctx)
	case a.status/100 == 2 && c.op.id != opList:
		r.unchanged(ctx, c.op, "a call with "+how)
	}
}

// hasResult reports whether the body is one with which the operation answers.
func (a *answer) hasResult() bool {
	for _, content := range a.op.responses[a.status].Content {
		value, err := parse(a.body)
		return err == nil && content.Schema.Value.VisitJSON(value, openapi3.VisitAsResponse()) == nil
	}
	return false
}

// deniedFirst checks that the token is checked before the body and its media type. A caller without one
// must not learn what is wrong with its body.
func (r *resident) deniedFirst(ctx context.Context) {
	done := r.atLevel(Document)
	defer done()
	for c := range r.withBodies() {
		r.denied(ctx, c, credential{what: "no token, and another media type"}.and("", "Content-Type", "text/plain"))
		c.body = []byte("{")
		r.denied(ctx, c, credential{what: "no token, and a body that is no JSON"})
	}
}

// withBodies visits an ordinary call of each operation that takes a body.
func (r *resident) withBodies() iter.Seq[call] {
	return func(yield func(call) bool) {
		for _, op := range r.doc.operations {
			if op.request != nil && !yield(r.ordinary(op, r.id)) {
				return
			}
		}
	}
}

// ordinary is a call with nothing special about it.
func (r *resident) ordinary(op *operation, id string) call {
	c := call{op: op, node: id}
	if op.request != nil {
		c.body = r.plainBody(op)
	}
	return c
}

// denied makes a call that has to be denied.
func (r *resident) denied(ctx context.Context, c call, wrong credential) {
	r.keepFirst(2)
	if c.op.id == opList || c.node != r.id {
		defer func(before []made) { r.trail = before }(r.trail)
		r.begin() // who is registered makes no difference
	}
	c = c.with(wrong)
	a := r.expect(ctx, c, "with "+wrong.what, wrong.refusals()...)
	switch {
	case a == nil:
		r.restore(ctx) // it may have been done
	case c.op.id != opList && c.node == r.id:
		r.unchanged(ctx, c.op, "a call with "+wrong.what)
	}
}

// with returns a call that carries its token in another form.
func (c call) with(other credential) call {
	c.noToken, c.shown, c.query, c.header = true, other.shell, other.query, other.header
	return c
}

// anyToken checks that an orchestratord without a token allows every call, even a call that
// carries one.
func (r *resident) anyToken(ctx context.Context) {
	for _, op := range r.doc.operations {
		if op.id == opDeregister {
			continue
		}
		c := r.ordinary(op, r.id)
		c.header = http.Header{authorization: {"Bearer any-token-0123456789"}}
		c.shown = "-H 'Authorization: Bearer any-token-0123456789'"
		r.expect(ctx, c, "with a token, where none is needed", op.success())
	}
}
