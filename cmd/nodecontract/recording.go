package main

import (
	"errors"
	"io"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// recording is an orchestratord that gives one answer, whatever is asked.
type recording struct{ answer *http.Response }

var errUnanswered = errors.New("was not answered")

// RoundTrip reads the request and answers it, even if not all of the request was recorded.
func (r *recording) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		_, _ = io.Copy(io.Discard, request.Body)
		_ = request.Body.Close()
	}
	if r.answer.StatusCode == 0 {
		return nil, errUnanswered
	}
	r.answer.Request = request
	return r.answer, nil
}

// show has a mock look at a request. What it answers, was recorded.
func show(mock *mockserver.Server, request *http.Request) {
	defer func() {
		if cause := recover(); cause != nil && cause != http.ErrAbortHandler { // as after a broken connection
			panic(cause)
		}
	}()
	mock.ServeHTTP(&nobody{http.Header{}}, request)
}

// nobody reads an answer.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header            { return n.header }
func (n *nobody) Write(text []byte) (int, error) { return len(text), nil }
func (n *nobody) WriteHeader(int)                {}

// mostOfOneCall is more than the entries that one call leaves in the journal: the call, and what
// changes about nodes.
const mostOfOneCall = 1000

// calls counts the requests in the journal that came after the last one and are for an operation
// of the document, and moves last to the end.
func calls(mock *mockserver.Server, last *control.Sequence) int {
	count := 0
	page := mock.Journal().Page(
		journal.Filter{Kind: control.EntryKindExchange, Brief: true, After: last}, mostOfOneCall)
	for _, entry := range page.Entries {
		if entry.Operation != nil {
			count++
		}
	}
	*last = mock.Journal().Counts().Last
	return count
}
