package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ofLooseForms take bodies that are no JSON or are not declared as it, and refuse those that are spelt in another
// way.
func ofLooseForms(op *operation) []sabotage {
	var all []sabotage
	take := func(what string, status int, takes func(x *exchange) bool) {
		all = append(all, onAnswer(op, "takes "+what, Document, func(x *exchange) {
			if x.status == status && takes(x) {
				x.done()
			}
		}))
	}
	for _, near := range nearlyJSON {
		take("a body with "+near.rule, http.StatusBadRequest, func(x *exchange) bool {
			return bytes.HasPrefix(x.came, []byte(near.value))
		})
	}
	take("a body in single quotes", http.StatusBadRequest, func(x *exchange) bool {
		return !bytes.Contains(x.came, []byte(`"`)) && json.Valid(bytes.ReplaceAll(x.came, []byte("'"), []byte(`"`)))
	})
	take("a body without its end", http.StatusBadRequest, func(x *exchange) bool {
		return json.Valid(append(slices.Clone(x.came), '}'))
	})
	for _, media := range otherMedia {
		take("the media type "+media, http.StatusUnsupportedMediaType, func(x *exchange) bool {
			return x.r.Header.Get("Content-Type") == media
		})
	}
	for what, mark := range map[string]string{
		"lines that end with CR LF": "\r\n", "escapes in names of fields": `\u005fid":`, "exponents": ":1e+30",
	} {
		all = append(all, onRequest(op.id+" refuses "+what, func(x *exchange) {
			if x.op == op && bytes.Contains(x.came, []byte(mark)) {
				x.reply(http.StatusBadRequest)
			}
		}))
	}
	return all
}

// ofProtocol break what RFC 9110 and RFC 9112 say, the token in another place, and how long a node is remembered.
func ofProtocol(doc *document) []sabotage {
	all := ofSchemes()
	for name, refuses := range map[string]func(r *http.Request) bool{
		"cookies":        func(r *http.Request) bool { return r.Header["Cookie"] != nil },
		"identity":       func(r *http.Request) bool { return r.Header.Get("Accept-Encoding") == "identity" },
		"many headers":   func(r *http.Request) bool { return len(r.Header) > 40 },
		"whole URLs":     func(r *http.Request) bool { return strings.HasPrefix(r.RequestURI, "http") },
		"a quoted value": func(r *http.Request) bool { return strings.Contains(r.Header.Get("Content-Type"), `"`) },
		"parameters": func(r *http.Request) bool {
			return strings.Contains(r.Header.Get("Content-Type"), "version")
		},
		"small digits": func(r *http.Request) bool { return strings.Contains(r.RequestURI, "%3a") },
	} {
		s := onRequest("every operation refuses "+name, func(x *exchange) {
			if refuses(x.r) {
				x.reply(http.StatusBadRequest)
			}
		})
		s.level = Document
		all = append(all, s)
	}
	raw := func(name, text string, when func(r *http.Request) bool) {
		all = append(all, sabotage{name: name, level: Document, culprit: opList, answer: func(x *exchange) {
			if when(x.r) {
				x.raw = text
			}
		}})
	}
	raw("an answer to HEAD has a body", "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 2\r\n\r\n{}",
		func(r *http.Request) bool { return r.Method == http.MethodHead })
	raw("every Upgrade is taken",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		func(r *http.Request) bool { return r.Header["Upgrade"] != nil })
	return append(all, soonForgotten(), ofPlaces("nothing", nil), ofPlaces("the whole body", []any{
		map[string]any{"pointer": "", "detail": "wrong"},
	}))
}

// ofSchemes have the token in a body, and its scheme in one spelling alone.
func ofSchemes() []sabotage {
	inBody := onRequest("a token counts in any body", func(x *exchange) {
		if x.op != nil && bytes.Contains(x.came, []byte(strengthToken)) {
			x.r.Header.Set("Authorization", "Bearer "+strengthToken)
		}
	})
	inBody.level, inBody.culprit = Document, "401"
	exact := onRequest("the scheme counts in one spelling alone", func(x *exchange) {
		if !strings.HasPrefix(x.r.Header.Get("Authorization"), "Bearer ") {
			x.r.Header.Del("Authorization")
		}
	})
	exact.level, exact.culprit = Document, "small letters"
	return []sabotage{inBody, exact}
}

// soonForgotten forgets each node 3 s after it has registered, whatever heartbeats come.
func soonForgotten() sabotage {
	const life = 3 * time.Second
	return onRequest("a node is forgotten 3 s after it has registered", func(x *exchange) {
		if x.is(opRegister) {
			x.memory[x.node] = time.Now()
		}
		for id, came := range x.memory {
			if time.Since(came.(time.Time)) > life {
				x.own(opDeregister, id, nil)
				delete(x.memory, id)
			}
		}
	})
}

// ofPlaces say of each body that breaks the document that other places are broken.
func ofPlaces(name string, places []any) sabotage {
	s := sabotage{name: "problem details name " + name, level: Document, culprit: "errors"}
	s.answer = func(x *exchange) {
		if object, _ := x.body.(map[string]any); x.status == http.StatusUnprocessableEntity && object != nil {
			object["errors"] = append([]any{}, places...)
		}
	}
	return s
}
