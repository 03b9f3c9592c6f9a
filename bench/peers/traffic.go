package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// traffic is what is sent to every contestant.
type traffic struct {
	Node                string // that all paths and bodies name
	Register, Heartbeat *request
}

// request is one request, what answers it when all is well, and ways to get it wrong.
type request struct {
	Path   string
	Body   json.RawMessage
	Answer json.RawMessage
	Checks []check
}

// check is a request with something about it, and the status that the document asks for.
type check struct {
	Name   string
	Status int
	Node   string          // in place of the usual one
	Body   json.RawMessage // in place of the usual one
	Text   string          // in place of a body, where that is not JSON
}

func readTraffic(home string) (t traffic, err error) {
	text, err := os.ReadFile(filepath.Join(home, "traffic.json"))
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return t, fmt.Errorf("traffic.json: %w", err)
	}
	for _, r := range []*request{t.Register, t.Heartbeat} {
		r.Body = compact(r.Body)
		r.Answer = compact(r.Answer)
	}
	return t, nil
}

// compact takes the space out of JSON that has been read before, so that it is valid.
func compact(text json.RawMessage) json.RawMessage {
	var buffer bytes.Buffer
	_ = json.Compact(&buffer, text)
	return buffer.Bytes()
}

// of returns the path and the body of a check of r, where node is the usual one.
func (c check) of(r *request, node string) (path, body string) {
	path, body = r.Path, string(r.Body)
	switch {
	case c.Node != "":
		path = strings.ReplaceAll(path, node, c.Node)
	case c.Text != "":
		body = c.Text
	case c.Body != nil:
		body = string(compact(c.Body))
	}
	return path, body
}
