package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	// dialTimeout is how long it may take until there is a connection, TLS included.
	dialTimeout = 10 * time.Second
	// idleTimeout is how long connections are kept, and idleConnections how many.
	idleTimeout     = 90 * time.Second
	idleConnections = 1024
)

// NewTransport returns a transport that changes nothing about requests and answers. It uses
// HTTP/1.1 alone, so that each side sees what the other one does to its connection. The error of
// a request that found no connection is a noConnection. What configure returns is for the next
// connection; it may be nil.
func NewTransport(configure func(context.Context) (*tls.Config, error)) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	d := dialer{configure: configure}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           d.dial,
		DialTLSContext:        d.dialTLS,
		Protocols:             &protocols,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   idleConnections,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
	}
}

type dialer struct {
	net.Dialer
	configure func(context.Context) (*tls.Config, error)
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.connect(ctx, d.DialContext, network, addr)
}

func (d *dialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.connect(ctx, d.dialConfigured, network, addr)
}

func (d *dialer) dialConfigured(ctx context.Context, network, addr string) (net.Conn, error) {
	over := tls.Dialer{NetDialer: &d.Dialer}
	if d.configure != nil {
		var err error
		if over.Config, err = d.configure(ctx); err != nil {
			return nil, err
		}
	}
	return over.DialContext(ctx, network, addr)
}

func (d *dialer) connect(
	ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), network, addr string,
) (net.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	connection, err := dial(bounded, network, addr)
	if err != nil {
		return nil, &noConnection{err}
	}
	return connection, nil
}
