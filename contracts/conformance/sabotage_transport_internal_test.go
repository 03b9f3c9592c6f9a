package conformance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ofTransport break how answers come.
func ofTransport(op *operation) []sabotage {
	all := slices.Concat(ofHandling(op), ofLengths(op), ofCaching(op), ofClosings(op))
	add := func(name string, answer func(x *exchange)) { all = append(all, onAnswer(op, name, Nodes, answer)) }
	if op.success() == http.StatusOK {
		for _, coding := range []string{"gzip", "br"} {
			add("compressed as "+coding, func(x *exchange) {
				var zipped bytes.Buffer
				zip := gzip.NewWriter(&zipped)
				_, _ = zip.Write(x.text)
				zip.Close()
				x.header.Set("Content-Encoding", coding)
				x.text, x.body = zipped.Bytes(), nil
			})
		}
	}
	if op.success() == http.StatusOK {
		all = append(all, onAnswer(op, "with another charset", Document, func(x *exchange) {
			x.header.Set("Content-Type", x.header.Get("Content-Type")+"; charset=utf-16")
		}))
		add("with two content types", func(x *exchange) { x.header.Add("Content-Type", "text/plain") })
	}
	if op.success() == http.StatusOK && op.id != opList {
		add("longer than a node reads", func(x *exchange) {
			if object, ok := x.body.(map[string]any); ok {
				object["padding"] = strings.Repeat("p", maxAnswer)
			}
		})
	}
	if op.id == opHeartbeat {
		add("slow", func(x *exchange) { x.delay = heartbeatLimit + heartbeatLimit/10 })
	}
	return all
}

// onAnswer breaks the answers of one operation.
func onAnswer(op *operation, name string, level Level, answer func(x *exchange)) sabotage {
	return sabotage{name: op.id + " " + name, level: level, culprit: op.id, answer: func(x *exchange) {
		if x.op == op {
			answer(x)
		}
	}}
}

// ofHandling refuse calls for how they come.
func ofHandling(op *operation) []sabotage {
	var all []sabotage
	refuse := func(name string, level Level, status int, refuses func(r *http.Request) bool) {
		all = append(all, onAnswer(op, "refuses "+name, level, func(x *exchange) {
			if refuses(x.r) {
				x.status = status
			}
		}))
	}
	for name, refuses := range map[string]func(r *http.Request) bool{
		"HTTP/1.0":          func(r *http.Request) bool { return r.ProtoMinor == 0 },
		"traces":            func(r *http.Request) bool { return r.Header.Get("Traceparent") != "" },
		"odd traces":        func(r *http.Request) bool { return strings.Contains(r.Header.Get("Traceparent"), " ") },
		"correlation ids":   func(r *http.Request) bool { return r.Header.Get(correlationHeader) != "" },
		"long correlations": func(r *http.Request) bool { return len(r.Header.Get(correlationHeader)) > 200 },
		"long trace states": func(r *http.Request) bool { return len(r.Header.Get("Tracestate")) > 500 },
		"long baggage":      func(r *http.Request) bool { return len(r.Header.Get("Baggage")) > 2000 },
		"large headers":     func(r *http.Request) bool { return sizeOf(r.Header) > 4096 },
		"any Accept":        func(r *http.Request) bool { return r.Header.Get("Accept") == "*/*" },
		"user agents":       func(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "llama") },
	} {
		refuse(name, Nodes, http.StatusBadRequest, refuses)
	}
	if op.request != nil {
		refuse("chunks", Document, http.StatusLengthRequired, func(r *http.Request) bool { return r.ContentLength < 0 })
		refuse("a charset", Document, http.StatusUnsupportedMediaType, func(r *http.Request) bool {
			return strings.Contains(r.Header.Get("Content-Type"), "charset")
		})
		refuse("a charset in capitals", Document, http.StatusUnsupportedMediaType, func(r *http.Request) bool {
			return strings.Contains(r.Header.Get("Content-Type"), "UTF-8")
		})
		refuse("Expect", Document, http.StatusExpectationFailed, func(r *http.Request) bool {
			return r.Header.Get("Expect") != ""
		})
		accept := func(name string, odd func(header http.Header) bool) {
			all = append(all, onAnswer(op, "accepts "+name, Document, func(x *exchange) {
				if odd(x.r.Header) && x.status == http.StatusUnsupportedMediaType {
					x.status = op.success()
				}
			}))
		}
		accept("another charset", func(h http.Header) bool { return strings.Contains(h.Get("Content-Type"), "utf-16") })
		accept("gzip", func(h http.Header) bool { return h.Get("Content-Encoding") != "" })
	}
	return all
}

// sizeOf returns how many bytes a header has.
func sizeOf(header http.Header) int {
	var text bytes.Buffer
	_ = header.Write(&text) // a buffer takes everything
	return text.Len()
}

// ofCaching let caches keep the list.
func ofCaching(op *operation) []sabotage {
	if op.id != opList {
		return nil
	}
	var all []sabotage
	keep := func(what, header, value string) {
		s := onAnswer(op, "may be kept by caches: "+what, Nodes, func(x *exchange) {
			x.header.Set(cacheControl, what)
			x.header.Set(header, value)
		})
		s.culprit = "header " + header
		all = append(all, s)
	}
	for _, value := range []string{"public", "public, max-age=60", `must-revalidate, S-MaxAge="5"`} {
		keep(value, cacheControl, value)
	}
	keep("must-revalidate", expires, time.Now().Add(time.Minute).UTC().Format(http.TimeFormat))
	return all
}

// ofClosings close connections after an answer that does not announce it.
func ofClosings(op *operation) []sabotage {
	var all []sabotage
	for status := range op.responses {
		if !slices.Contains([]int{200, 204, 400, 401, 404, 415, 422}, status) { // which kept connections have often
			continue
		}
		s := onAnswer(op, fmt.Sprintf("closes connections after %d", status), Document, func(x *exchange) {
			if x.status == status {
				x.raw = x.unannounced()
			}
		})
		s.culprit = "connection" // which the next call may be the first to miss
		all = append(all, s)
	}
	return all
}

// unannounced is the answer, as a server sends it that goes on to keep the connection.
func (x *exchange) unannounced() string {
	var text bytes.Buffer
	answer := http.Response{
		StatusCode: x.status, ProtoMajor: 1, ProtoMinor: 1, Header: x.header, Request: x.r,
		ContentLength: int64(len(x.text)), Body: io.NopCloser(bytes.NewReader(x.text)),
	}
	_ = answer.Write(&text) // a buffer takes everything
	return text.String()
}

// ofLengths have a length that contradicts what follows.
func ofLengths(op *operation) []sabotage {
	name, text := "with a length beside its chunks", strings.Join([]string{
		"HTTP/1.1 200 OK", "Connection: close", "Content-Type: application/json",
		"Transfer-Encoding: chunked", "Content-Length: 5", "", "%x", "%s", "0", "", "",
	}, "\r\n")
	if op.success() == http.StatusNoContent {
		name, text = "with a body after 204",
			"HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s{}"
	}
	s := onAnswer(op, name, Nodes, func(x *exchange) {
		if x.succeeded(op.id) {
			x.raw = fmt.Sprintf(text, max(len(x.text), 2), x.text)
		}
	})
	s.culprit = "header " + contentLength
	return []sabotage{s}
}
