package conformance

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// credential is a form in which a call may carry a token.
type credential struct {
	what   string
	header http.Header
	query  string // that carries the token instead of a header
	shell  string // how a shell writes it, without the token
}

// inShell is how a shell writes the token.
const inShell = "${LLORCH_API_TOKEN}"

// spelt is a credential that a shell writes as it is sent, but for the token.
func spelt(token, what string, values ...string) credential {
	c := credential{what: what}
	for _, value := range values {
		c = c.and(token, authorization, value)
	}
	return c
}

// and returns a credential with one more line of the header.
func (c credential) and(token, name, value string) credential {
	if c.header = c.header.Clone(); c.header == nil {
		c.header = http.Header{}
	}
	c.header[name] = append(c.header[name], strings.ReplaceAll(value, inShell, token))
	c.shell += ` -H "` + name + ": " + strings.ReplaceAll(value, `"`, `\"`) + `"`
	c.shell = strings.TrimSpace(c.shell)
	return c
}

// authorization is the header in which the document has the token.
const authorization = "Authorization"

// refusals are the statuses that an answer may have. A proxy may refuse a header that comes twice.
func (c credential) refusals() []int {
	if len(c.header[authorization]) > 1 {
		return []int{http.StatusUnauthorized, http.StatusBadRequest}
	}
	return []int{http.StatusUnauthorized}
}

// wrongCredentials are forms that resemble the right one and are invalid.
func wrongCredentials(token string) []credential {
	forms := []credential{
		{what: "no token"},
		{what: "an empty header", header: http.Header{authorization: {""}}, shell: `-H "Authorization;"`},
		spelt(token, "the scheme alone", "Bearer"),
		// What a caller in JavaScript sends whose token is not set.
		spelt(token, "the token null", "Bearer null"),
		spelt(token, "the token undefined", "Bearer undefined"),
		spelt(token, "a token without its scheme", inShell),
		spelt(token, "two wrong tokens", "Bearer wrong", "Bearer "+inShell+"x"),
		spelt(token, "a wrong token before the right one", "Bearer wrong", "Bearer "+inShell),
	}
	forms = append(forms, otherSchemes(token)...)
	forms = append(forms, otherPlaces(token)...)
	for _, near := range nearTokens(token) {
		shell := `-H "Authorization: Bearer ` + near.shell + `"`
		header := http.Header{authorization: {"Bearer " + near.token}}
		forms = append(forms, credential{what: near.what, header: header, shell: shell})
	}
	for _, dressed := range dressings {
		what := "a token spelt " + strings.Replace(dressed, inShell, "token", 1)
		forms = append(forms, spelt(token, what, "Bearer "+dressed))
	}
	return slices.DeleteFunc(forms, func(c credential) bool { return c.valid(token) })
}

// valid reports whether the header, or its first line, is right after all. The scheme may be in any
// case, and spaces at the end get lost on the way.
func (c credential) valid(token string) bool {
	words := strings.Fields(c.header.Get(authorization))
	return len(words) == 2 && strings.EqualFold(words[0], "Bearer") && words[1] == token
}

// otherSchemes have another scheme than Bearer. That may be in any case (RFC 9110), and then its
// token has to be the right one too.
func otherSchemes(token string) []credential {
	forms := []credential{
		{
			what: "the token as a password", shell: `-u ":` + inShell + `"`,
			header: http.Header{authorization: {"Basic " + asPassword(token)}},
		},
		{
			what: "the token as a user", shell: `-u "` + inShell + `:"`,
			header: http.Header{authorization: {"Basic " + asUser(token)}},
		},
		spelt(token, "a wrong token after two spaces", "Bearer  wrong"),
	}
	for _, scheme := range []string{"Basic", "Digest", "Token", "Bearers", "Bearer:"} {
		forms = append(forms, spelt(token, "the scheme "+scheme, scheme+" "+inShell))
	}
	for _, scheme := range []string{"bearer", "BEARER"} {
		forms = append(forms, spelt(token, "a wrong token of the scheme "+scheme, scheme+" wrong"))
	}
	return forms
}

// otherPlaces have the right token where the document has none: instead of the header
// Authorization, and beside one with a wrong token.
func otherPlaces(token string) []credential {
	inQuery := credential{what: "the token in the query"}
	for i, name := range []string{"access_token", "token", "api_key"} {
		inQuery.query += string("?&&"[i]) + name + "=" + url.QueryEscape(token)
		inQuery.shell += ` --url-query "` + name + "=" + inShell + `"`
	}
	inQuery.shell = strings.TrimSpace(inQuery.shell)
	forwarded := credential{what: "no token, and forwarded for 127.0.0.1"}.
		and(token, "Forwarded", "for=127.0.0.1").and(token, "X-Forwarded-For", "127.0.0.1").
		and(token, "X-Real-Ip", "127.0.0.1")
	adorned := credential{what: "no token, and the headers of nodes and proxies"}
	for _, h := range headers() {
		if h.level == "" && !h.badEcho && len(h.value) <= longHeader && adorned.header[h.name] == nil {
			adorned = adorned.and(token, h.name, h.value)
		}
	}
	elsewhere := credential{what: "no token, and another path in X-Original-Url"}.
		and(token, "X-Original-Url", "/").and(token, "X-Rewrite-Url", "/")
	forms := []credential{inQuery, forwarded, elsewhere, adorned}
	for _, place := range []struct{ name, value string }{
		{"Cookie", "token=" + inShell + "; access_token=" + inShell + "; session=" + inShell},
		{"X-Api-Key", inShell},
		{"X-Auth-Token", inShell},
		{"X-Access-Token", inShell},
		{"X-Authorization", "Bearer " + inShell},
		{"X-Forwarded-Authorization", "Bearer " + inShell},
		{"Proxy-Authorization", "Bearer " + inShell},
	} {
		alone, beside := "the token in "+place.name, "a wrong token, and the right one in "+place.name
		forms = append(forms,
			spelt(token, alone).and(token, place.name, place.value),
			spelt(token, beside, "Bearer wrong").and(token, place.name, place.value))
	}
	return forms
}

// asPassword spells a token as the password of a caller without a name.
func asPassword(token string) string { return base64.StdEncoding.EncodeToString([]byte(":" + token)) }

// asUser spells it as the name of a caller without a password.
func asUser(token string) string { return base64.StdEncoding.EncodeToString([]byte(token + ":")) }

// dressings are the right token with something around it that lenient parsers take away.
var dressings = []string{
	`"` + inShell + `"`, "'" + inShell + "'", "<" + inShell + ">", inShell + "=", inShell + ".", inShell + "+",
	"Bearer " + inShell, inShell + " x", inShell + ",x", inShell + ";x", inShell + ":x", inShell + "&x",
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
			"${LLORCH_API_TOKEN:0:(${#LLORCH_API_TOKEN}-1)/2}w${LLORCH_API_TOKEN:(${#LLORCH_API_TOKEN}+1)/2}",
		},
		{"a token without its last character", token[:last], "${LLORCH_API_TOKEN%?}"},
		{"a token without its first character", token[1:], "${LLORCH_API_TOKEN#?}"},
		{"the first half of a token", token[:len(token)/2], "${LLORCH_API_TOKEN:0:${#LLORCH_API_TOKEN}/2}"},
		{"the first character of a token", token[:1], "${LLORCH_API_TOKEN:0:1}"},
		{"a token with a character more", token + "x", "${LLORCH_API_TOKEN}x"},
		{"a token with a character before", "x" + token, "x$LLORCH_API_TOKEN"},
		{"a token without its hyphens", strings.ReplaceAll(token, "-", ""), "${LLORCH_API_TOKEN//-/}"},
		{"a token with underscores for its hyphens", strings.ReplaceAll(token, "-", "_"), "${LLORCH_API_TOKEN//-/_}"},
		{"a token backwards", backwards(token), `$(rev <<<"$LLORCH_API_TOKEN")`},
		{"a token twice", token + token, "$LLORCH_API_TOKEN$LLORCH_API_TOKEN"},
		{
			"a token with a space within", token[:last/2+1] + " " + token[last/2+1:],
			"${LLORCH_API_TOKEN:0:(${#LLORCH_API_TOKEN}+1)/2} ${LLORCH_API_TOKEN:(${#LLORCH_API_TOKEN}+1)/2}",
		},
		{
			"a token whose first character is escaped", fmt.Sprintf("%%%02X%s", token[0], token[1:]),
			`$(printf %%%02X "'$LLORCH_API_TOKEN")${LLORCH_API_TOKEN#?}`,
		},
		{
			"a token in base64", base64.StdEncoding.EncodeToString([]byte(token)),
			`$(printf %s "$LLORCH_API_TOKEN" | base64 -w0)`,
		},
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
