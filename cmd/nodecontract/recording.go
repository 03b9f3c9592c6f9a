package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/har"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// replay has a mock stand in front of an orchestratord that answers as was recorded, by a clock that
// shows the recorded times. It returns how many of the requests were of nodes.
func replay(
	ctx context.Context, traffic har.File, document []byte, nodeTimeout time.Duration,
) (*mockserver.Server, int, error) {
	r := recording{clock: clock.PausedAt(time.Unix(0, 0))}
	mock, err := mockserver.New(
		mockserver.WithNodeTimeout(nodeTimeout),
		mockserver.WithoutControl(), mockserver.WithJournal(mostOfOneCall), mockserver.WithClock(r.clock),
		mockserver.WithUpstream(mockserver.Upstream{
			URL: "http://recorded.invalid", Transport: &r, Recorded: true, Document: document,
		}))
	if err != nil {
		return nil, 0, err
	}
	defer mock.Close()
	r.mock = mock
	calls := 0
	for _, each := range inOrder(traffic.Log.Entries) {
		if ctx.Err() != nil {
			break
		}
		if request, err := each.HTTPRequest(ctx); err == nil { // or no HTTP server would have seen it
			calls += r.play(each, request)
		}
	}
	return mock, calls, ctx.Err()
}

// call is a recorded request with its answer.
type call struct {
	har.Entry
	ended time.Time // zero where that was not recorded
}

// inOrder returns calls as they were answered. One without a time comes after the one before it.
func inOrder(entries []har.Entry) []call {
	const longest = float64(24 * time.Hour / time.Millisecond)
	calls := make([]call, len(entries))
	var ended time.Time
	for i, entry := range entries {
		if !entry.Started.IsZero() {
			ended = entry.Started.Add(time.Duration(max(0, min(entry.Time, longest)) * float64(time.Millisecond)))
		}
		calls[i] = call{entry, ended}
	}
	slices.SortStableFunc(calls, func(a, b call) int { return a.ended.Compare(b.ended) })
	return calls
}

// recording is an orchestratord that gives the answer of one call, whatever is asked.
type recording struct {
	mock   *mockserver.Server
	clock  *clock.Clock
	answer *http.Response
	last   control.Sequence // in the journal, of the calls so far
}

// play has the mock look at a call. It returns 1 if that is for an operation of the document.
func (r *recording) play(each call, request *http.Request) int {
	_ = r.clock.Advance(max(0, each.ended.Sub(r.clock.Now())))
	r.answer = each.HTTPResponse()
	r.show(request)
	operation := r.operation()
	switch {
	case operation == nil:
		return 0
	case *operation == control.OperationListNodes && each.Response.Status == http.StatusOK &&
		request.URL.RawQuery == "": // for which there may be less of a list
		r.mock.JudgeList(each.HTTPResponse().Body, each.Started)
	}
	return 1
}

// show has the mock look at a request. What it answers, was recorded.
func (r *recording) show(request *http.Request) {
	defer func() {
		if cause := recover(); cause != nil && cause != http.ErrAbortHandler { // as after a broken connection
			panic(cause)
		}
	}()
	r.mock.ServeHTTP(&nobody{http.Header{}}, request)
}

// mostOfOneCall is more than the entries that one call leaves in the journal: the call, and what
// changes about nodes.
const mostOfOneCall = 1000

// operation returns the operation of the last call, nil if the document has none for it.
func (r *recording) operation() *control.Operation {
	page := r.mock.Journal().Page(
		journal.Filter{Kind: control.EntryKindExchange, Brief: true, After: &r.last}, mostOfOneCall)
	r.last = r.mock.Journal().Counts().Last
	if len(page.Entries) == 0 {
		return nil
	}
	return page.Entries[0].Operation
}

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

// nobody reads an answer.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header            { return n.header }
func (n *nobody) Write(text []byte) (int, error) { return len(text), nil }
func (n *nobody) WriteHeader(int)                {}
