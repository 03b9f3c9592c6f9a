package fleet

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// transport returns the transport of the fleet's requests: that of the nodes' HTTPClient if they
// have one, else a new one with their TLS.
func (s Settings) transport() (http.RoundTripper, error) {
	if client := s.Node.HTTPClient; client != nil {
		return client.Transport, nil
	}
	return s.Node.TLS.Transport(newTransport(s.Connections), s.Node.Logger)
}

// newTransport returns the transport that the nodes of a fleet share. A request that finds all
// connections taken waits for one. That is quicker than a new connection, and a fleet that
// waited for a slow orchestratord does not greet it with thousands of them. The connection
// that was used last is used first, so that what a calm fleet does not need is closed.
func newTransport(connections int) *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}
}

// gauge is the transport of a fleet. It records which limits it has reached.
type gauge struct {
	http.RoundTripper
	connections int64

	inFlight, most atomic.Int64
	waited         atomic.Int64 // requests that found all connections taken
	noFile, noPort atomic.Int64 // connections for which the machine had nothing left
}

func (g *gauge) RoundTrip(r *http.Request) (*http.Response, error) {
	now := g.inFlight.Add(1)
	defer g.inFlight.Add(-1)
	if now > g.connections {
		g.waited.Add(1)
	}
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	response, err := g.RoundTripper.RoundTrip(r)
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		g.noFile.Add(1)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		g.noPort.Add(1)
	}
	return response, err
}

// CloseIdleConnections closes those of the transport below, which a client does not look for there.
func (g *gauge) CloseIdleConnections() {
	(&http.Client{Transport: g.RoundTripper}).CloseIdleConnections()
}
