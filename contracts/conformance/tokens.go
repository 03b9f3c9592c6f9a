package conformance

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// credential is a form of the Authorization header.
type credential struct {
	what   string
	values []string
	shell  string // how a shell writes it, without the token
}

// checkTokens tries every form of a wrong token on every operation. Where no token is
// needed, any must be accepted.
func checkTokens(ctx context.Context, s *session) {
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
}

// deniedFirst checks that the token is checked before the body. A caller without one must
// not learn what is wrong with its body.
func (r *resident) deniedFirst(ctx context.Context) {
	done := r.atLevel(Document)
	defer done()
	for _, op := range r.doc.operations {
		if op.request == nil {
			continue
		}
		c := r.ordinary(op, r.id)
		c.body = []byte("{")
		r.denied(ctx, c, credential{what: "no token, and a body that is no JSON"})
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
	r.trail = r.trail[:min(len(r.trail), 2)]
	c.noToken, c.shown = true, wrong.shell
	if wrong.values != nil {
		c.header = http.Header{"Authorization": wrong.values}
	}
	a := r.expect(ctx, c, "with "+wrong.what, http.StatusUnauthorized)
	switch {
	case a == nil:
		r.restore(ctx) // it may have been done
	case c.op.id != opList:
		r.unchanged(ctx, c.op, "a call with "+wrong.what)
	}
}

// anyToken checks that an orchestratord without a token allows every call, even a call that
// carries one.
func (r *resident) anyToken(ctx context.Context) {
	for _, op := range r.doc.operations {
		if op.id == opDeregister {
			continue
		}
		c := r.ordinary(op, r.id)
		c.header = http.Header{"Authorization": {"Bearer any-token-0123456789"}}
		c.shown = "-H 'Authorization: Bearer any-token-0123456789'"
		r.expect(ctx, c, "with a token, where none is needed", op.success())
	}
}

// wrongCredentials are forms of the header that resemble the right one and are invalid.
func wrongCredentials(token string) []credential {
	forms := []credential{
		{"no token", nil, ""},
		{"the scheme alone", []string{"Bearer"}, `-H "Authorization: Bearer"`},
		// What a caller in JavaScript sends whose token is not set.
		{"the token null", []string{"Bearer null"}, `-H "Authorization: Bearer null"`},
		{"the token undefined", []string{"Bearer undefined"}, `-H "Authorization: Bearer undefined"`},
		{"a token without its scheme", []string{token}, `-H "Authorization: $LLORCH_API_TOKEN"`},
		{"the scheme Basic", []string{"Basic " + token}, `-H "Authorization: Basic $LLORCH_API_TOKEN"`},
		{"the scheme Token", []string{"Token " + token}, `-H "Authorization: Token $LLORCH_API_TOKEN"`},
		{
			"the token as a password",
			[]string{"Basic " + base64.StdEncoding.EncodeToString([]byte(":"+token))},
			`-u ":$LLORCH_API_TOKEN"`,
		},
		{"two wrong tokens", []string{"Bearer wrong", "Bearer " + token + "x"}, `-H "Authorization: Bearer wrong"`},
	}
	for _, near := range nearTokens(token) {
		if near.token != token {
			shell := `-H "Authorization: Bearer ` + near.shell + `"`
			forms = append(forms, credential{near.what, []string{"Bearer " + near.token}, shell})
		}
	}
	return forms
}

// nearToken is a wrong token that resembles the right one, and the shell expression that
// derives it from the right one.
type nearToken struct{ what, token, shell string }

func nearTokens(token string) []nearToken {
	last := len(token) - 1
	return []nearToken{
		{"another token", "wrong", "wrong"},
		{"another token of the same length", strings.Repeat("w", len(token)), "${LLORCH_API_TOKEN//?/w}"},
		{"a token whose first character differs", other(token[0]) + token[1:], "w${LLORCH_API_TOKEN#?}"},
		{"a token whose last character differs", token[:last] + other(token[last]), "${LLORCH_API_TOKEN%?}w"},
		{
			"a token whose middle differs", token[:last/2] + other(token[last/2]) + token[last/2+1:],
			"${LLORCH_API_TOKEN:0:${#LLORCH_API_TOKEN}/2}w",
		},
		{"a token without its last character", token[:last], "${LLORCH_API_TOKEN%?}"},
		{"a token without its first character", token[1:], "${LLORCH_API_TOKEN#?}"},
		{"the first half of a token", token[:len(token)/2], "${LLORCH_API_TOKEN:0:${#LLORCH_API_TOKEN}/2}"},
		{"the first character of a token", token[:1], "${LLORCH_API_TOKEN:0:1}"},
		{"a token with a character more", token + "x", "${LLORCH_API_TOKEN}x"},
		{"a token with a character before", "x" + token, "x$LLORCH_API_TOKEN"},
		{"a token and an equals sign", token + "=", "$LLORCH_API_TOKEN="},
		{"a token backwards", backwards(token), `$(rev <<<"$LLORCH_API_TOKEN")`},
		{"a token twice", token + token, "$LLORCH_API_TOKEN$LLORCH_API_TOKEN"},
		{"a token and a word", token + " x", "$LLORCH_API_TOKEN x"},
		{"a token and a comma", token + ",x", "$LLORCH_API_TOKEN,x"},
		{"a token in capitals", strings.ToUpper(token), "${LLORCH_API_TOKEN^^}"},
		{"a token in small letters", strings.ToLower(token), "${LLORCH_API_TOKEN,,}"},
		{"a token in the other case", strings.Map(swapCase, token), "${LLORCH_API_TOKEN~~}"},
	}
}

// other returns a character that differs from c.
func other(c byte) string {
	if c == 'w' {
		return "v"
	}
	return "w"
}

func backwards(token string) string {
	characters := []byte(token)
	slices.Reverse(characters)
	return string(characters)
}

func swapCase(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}
