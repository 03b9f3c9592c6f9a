//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// hostile holds what steers terminals and CI runners, real and spelled out, and an end
// that has to be seen.
const hostile = "a\x1b]52;c;cm0=\a\x1b[2J\\x1b[2J\\033[1m\u202e\u009b2J\r\n::error::x ##[group]\xff\ufffdEND"

// TestHostileRequestsOnATerminal has a person watch the mock, with colours.
func TestHostileRequestsOnATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	seen, program, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
		t.Skip("there are no terminals here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"--addr", "127.0.0.1:0", "--log-level", "debug"}, program, program,
			func(string) string { return "" })
		program.Close() // ends what is seen
	}()
	lines := bufio.NewReader(seen)
	var log strings.Builder
	address := ""
	for address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		log.WriteString(line)
		if _, at, found := strings.Cut(line, " listens on http://"); found {
			address, _, _ = strings.Cut(at, " ")
		}
	}
	all := make(chan string)
	go func() {
		rest, _ := io.ReadAll(lines) // a terminal that closes is an error
		all <- string(rest)
	}()
	sendHostile(t, address)
	cancel()
	<-ended
	log.WriteString(<-all)

	text := regexp.MustCompile("\x1b\\[(0|2|22|9[123])m").ReplaceAllString(log.String(), "") // the log's own
	if !strings.Contains(log.String(), "\x1b[2m") || strings.Count(text, "END") < 4 {
		t.Errorf("no colours, or not all of the requests:\n%q", log.String())
	}
	text = strings.ReplaceAll(text, "\r\n", "\n") // the terminal's
	if unsafe := regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f-\u009f\u202e\ufffd]|(?m:^\\s*::)|##\\[").FindString(
		text); unsafe != "" {
		t.Errorf("%q reaches the terminal:\n%q", unsafe, text)
	}
}

// sendHostile sends requests with hostile in their path, in a header, as a node's id
// and as the name of a fault.
func sendHostile(t *testing.T, address string) {
	t.Helper()
	header := strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1 // Go refuses it
		}
		return r
	}, hostile)
	body := func(text string) string {
		return fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	}
	for _, request := range []string{
		"GET /v2/nodes/" + url.PathEscape(hostile) + " HTTP/1.1\r\nHost: mock\r\n\r\n",
		"DELETE /v2/nodes/gpu-1 HTTP/1.1\r\nHost: mock\r\nX-Correlation-Id: " + header + "\r\nUser-Agent: " + header +
			"\r\n\r\n",
		"POST /v2/nodes/register HTTP/1.1\r\nHost: mock\r\n" + body(`{"node_id": "a\u001b[2J\\x1b[2J\u202eEND"}`),
		"POST /v2/nodes/" + url.PathEscape(hostile) + "/heartbeat HTTP/1.1\r\nHost: mock\r\n" +
			body(`{"\u001b[2J\\x1b[2J\u202eEND": 1}`),
		"PUT /__mock/faults/" + url.PathEscape(hostile) + " HTTP/1.1\r\nHost: " + address + "\r\n" +
			body(`{"rules": [{"effect": {"status": 503, "detail": "\u001b[2J\\x1b[2J\u202eEND"}}]}`),
		"GET /v2/nodes HTTP/1.1\r\nHost: mock\r\n\r\n",
	} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(connection, request); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		connection.Close()
	}
}
