//go:build pact

package provider

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// line takes requests to the provider. It breaks at the first that gets no answer.
type line struct {
	transport *http.Transport

	mu  sync.Mutex
	err error
}

func newLine(tls *tls.Config) *line {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: patience}).DialContext
	transport.TLSHandshakeTimeout = patience
	transport.ResponseHeaderTimeout = patience
	transport.TLSClientConfig = tls
	return &line{transport: transport}
}

// RoundTrip sends a request and waits for the head of its answer.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.transport.RoundTrip(r)
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err == nil {
			l.err = fmt.Errorf("%s %s got no answer: %w", r.Method, r.URL.Path, err)
		}
	}
	return answer, err
}

// broken returns why the line broke, nil while it holds.
func (l *line) broken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
