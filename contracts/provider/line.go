//go:build pact

package provider

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxAnswer bounds what is read of an answer; a list of all nodes takes far less.
const maxAnswer = 64 << 20

// line is the transport to the provider. It is broken after the first request whose answer
// is missing or incomplete: the verification ends there, because it can decide nothing more.
// A broken line still sends requests, so that the nodes of the run are removed.
type line struct {
	transport http.RoundTripper
	timeout   time.Duration // for one answer and its body

	mu  sync.Mutex
	err error
}

// newTransport returns a transport that shows answers as they were sent: it asks for
// no compression of its own.
func newTransport(tls *tls.Config) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tls
	transport.DisableCompression = true
	return transport
}

// RoundTrip sends a request, and returns when all of the answer is there.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), l.timeout, fmt.Errorf("it took longer than %v", l.timeout))
	defer cancel()
	answer, err := l.transport.RoundTrip(r.WithContext(ctx))
	fault := "got no answer"
	switch {
	case err != nil:
	case answer.StatusCode < http.StatusOK: // whose body is a connection, and outlives ctx
		answer.Body.Close()
		return nil, l.breakFor(fmt.Errorf("%s %s was answered %d, and then nothing that HTTP allows", r.Method,
			r.URL.Redacted(), answer.StatusCode))
	default:
		err = readWhole(answer)
		fault = fmt.Sprintf("was answered %d, but without all of the body", answer.StatusCode)
	}
	if err == nil {
		return answer, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, l.breakFor(fmt.Errorf("%s %s %s: %w", r.Method, r.URL.Redacted(), fault, err))
}

// readWhole puts what has been read in the place of an answer's body.
func readWhole(answer *http.Response) error {
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if len(body) > maxAnswer {
		err = fmt.Errorf("it is longer than %d bytes", maxAnswer)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// breakFor breaks the line, if it still holds, and returns the reason given.
func (l *line) breakFor(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	return err
}

// broken returns why the line broke, nil while it holds.
func (l *line) broken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
