package conformance

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"time"
)

// ofTransport break how answers come.
func ofTransport(op *operation) []sabotage {
	var all []sabotage
	add := func(name string, answer func(x *exchange)) {
		level := Nodes
		if strings.HasSuffix(name, "chunks") || strings.HasSuffix(name, "charset") {
			level = Document
		}
		all = append(all, sabotage{name: op.id + " " + name, level: level, answer: func(x *exchange) {
			if x.op == op {
				answer(x)
			}
		}})
	}
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
	if op.success() == http.StatusOK && op.id != opList {
		add("longer than a node reads", func(x *exchange) {
			if object, ok := x.body.(map[string]any); ok {
				object["padding"] = strings.Repeat("p", maxAnswer)
			}
		})
	}
	if op.id == opHeartbeat {
		add("slow", func(*exchange) { time.Sleep(heartbeatLimit + heartbeatLimit/10) })
	}
	for name, refuses := range map[string]func(r *http.Request) bool{
		"refuses HTTP/1.0":          func(r *http.Request) bool { return r.ProtoMinor == 0 },
		"refuses traces":            func(r *http.Request) bool { return r.Header.Get("Traceparent") != "" },
		"refuses odd traces":        func(r *http.Request) bool { return strings.Contains(r.Header.Get("Traceparent"), " ") },
		"refuses correlation ids":   func(r *http.Request) bool { return r.Header.Get(correlationHeader) != "" },
		"refuses long correlations": func(r *http.Request) bool { return len(r.Header.Get(correlationHeader)) > 200 },
		"refuses any Accept":        func(r *http.Request) bool { return r.Header.Get("Accept") == "*/*" },
		"refuses user agents":       func(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "llama") },
	} {
		add(name, func(x *exchange) {
			if refuses(x.r) {
				x.status = http.StatusBadRequest
			}
		})
	}
	if op.request != nil {
		add("refuses chunks", func(x *exchange) {
			if x.r.ContentLength < 0 {
				x.status = http.StatusLengthRequired
			}
		})
		add("refuses a charset", func(x *exchange) {
			if strings.Contains(x.r.Header.Get("Content-Type"), "charset") {
				x.status = http.StatusUnsupportedMediaType
			}
		})
	}
	return all
}
