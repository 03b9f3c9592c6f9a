package mocktest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Transport returns a transport that takes requests to handler in memory, each on a goroutine
// of its own. When the context of a request ends, so does its connection. RoundTrip returns the
// context's error at once, and the handler finds its own context cancelled. Nothing is
// buffered: a handler that writes waits for its client to read, or to close the body.
func Transport(handler http.Handler) http.RoundTripper {
	return transport{handler}
}

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x := newExchange(r)
	go x.serve(t.handler)
	select {
	case response := <-x.answered:
		return response, nil
	case err := <-x.failed:
		if ended := r.Context().Err(); ended != nil {
			return nil, ended // the handler may have failed because of it
		}
		return nil, err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// exchange is one request and its answer. To the handler it is the ResponseWriter.
type exchange struct {
	request  *http.Request // as the handler sees it
	end      func()        // ends the handler's context
	header   http.Header
	body     *io.PipeWriter
	started  bool // whether status and header have been sent
	bodiless bool

	response *http.Response      // in the making, the client's once it is answered
	answered chan *http.Response // takes response
	failed   chan error
}

func newExchange(r *http.Request) *exchange {
	// Of the client's context only the end crosses the wire, not what it carries.
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	unlink := context.AfterFunc(r.Context(), func() {
		writer.CloseWithError(r.Context().Err())
		cancel() // last: a handler that breaks off because of it changes nothing any more
	})
	return &exchange{
		request: received(ctx, r),
		end:     func() { unlink(); cancel() },
		header:  http.Header{},
		body:    writer,
		response: &http.Response{
			Request: r, Body: reader, ContentLength: -1, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		},
		answered: make(chan *http.Response, 1),
		failed:   make(chan error, 1),
	}
}

// received returns a client's request as a server sees it.
func received(ctx context.Context, r *http.Request) *http.Request {
	request := r.Clone(ctx)
	request.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	request.RequestURI = request.URL.RequestURI()
	request.RemoteAddr = "192.0.2.1:1234" // of the block for documentation, RFC 5737
	if request.Host == "" {
		request.Host = r.URL.Host
	}
	switch {
	case request.Body == nil:
		request.Body = http.NoBody
	case request.ContentLength == 0 && request.Body != http.NoBody:
		request.ContentLength = -1 // which is how a server says that it is unknown
	}
	return request
}

func (x *exchange) serve(handler http.Handler) {
	defer func() { x.finish(recover()) }()
	handler.ServeHTTP(x, x.request)
}

// finish ends the exchange once the handler has returned. One that has panicked breaks
// the connection, as in a server.
func (x *exchange) finish(cause any) {
	x.end()
	x.request.Body.Close()
	switch {
	case cause == nil:
		x.WriteHeader(http.StatusOK)
		x.body.Close()
	case x.started:
		x.body.CloseWithError(io.ErrUnexpectedEOF)
	case cause == http.ErrAbortHandler: // which is how a handler breaks the connection on purpose
		x.failed <- fmt.Errorf("the connection was closed without an answer: %w", io.ErrUnexpectedEOF)
	default:
		x.failed <- fmt.Errorf("the handler panicked: %v", cause)
	}
}

func (x *exchange) Header() http.Header { return x.header }

func (x *exchange) WriteHeader(status int) {
	interim := status < http.StatusOK && status != http.StatusSwitchingProtocols
	if x.started || interim { // which no client of net/http returns
		return
	}
	x.started = true
	x.response.StatusCode = status
	x.response.Status = fmt.Sprintf("%d %s", status, http.StatusText(status))
	x.response.Header = x.header.Clone()
	if x.request.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified {
		x.bodiless = true
		x.response.Body = http.NoBody
		x.response.ContentLength = 0
	}
	x.answered <- x.response
}

func (x *exchange) Write(text []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	if x.bodiless {
		return 0, http.ErrBodyNotAllowed
	}
	return x.body.Write(text)
}

// Flush has nothing to do: the client has what is written at once.
func (x *exchange) Flush() {}
