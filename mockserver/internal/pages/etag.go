package pages

import (
	"net/http"
	"strconv"
	"strings"
)

const etag = "Etag" // as http.Header spells it

// quoteTags puts the entity tags of a handler in quotes, without which they are none
// (RFC 9110, section 8.8.3). The library that serves files neither writes quotes nor
// expects them.
func quoteTags(handler http.Handler) http.Handler {
	const ifNoneMatch = "If-None-Match"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known := r.Header.Get(ifNoneMatch)
		if known != "" {
			known = strings.Trim(strings.TrimPrefix(known, "W/"), `"`) // a proxy may have made it weak
			r = r.Clone(r.Context())
			r.Header.Set(ifNoneMatch, known)
		}
		tags := &tagWriter{ResponseWriter: w, known: known}
		handler.ServeHTTP(tags, r)
		if !tags.begun { // there is no body
			tags.WriteHeader(http.StatusOK)
		}
	})
}

type tagWriter struct {
	http.ResponseWriter
	known string // the tag that the client has
	begun bool
}

func (w *tagWriter) WriteHeader(status int) {
	w.begun = true
	header := w.Header()
	if status == http.StatusNotModified {
		header.Set(etag, w.known)
	}
	if tag := header.Get(etag); tag != "" {
		header.Set(etag, strconv.Quote(tag))
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *tagWriter) Write(text []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(text)
}
