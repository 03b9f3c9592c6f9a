package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

const (
	readTimeout = 30 * time.Second // for a request, which may be 2 MiB on a slow line
	headerLimit = 64 << 10         // bytes
	// Nodes keep their connection between heartbeats.
	idleHeartbeats = 3
	shutdownGrace  = 5 * time.Second // for requests in flight
)

// newServer returns a server whose requests know when ctx ends, so that streams and
// whatever else waits do not hold it up. How long a client may take to read an answer is
// up to the handler.
func newServer(
	ctx context.Context, s settings, config *tls.Config, handler http.Handler, log *slog.Logger,
) *http.Server {
	// HTTP/2 is off: requests share a connection there, so no fault could cut a single one.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:        handler,
		TLSConfig:      config,
		Protocols:      &protocols,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ReadTimeout:    readTimeout,
		IdleTimeout:    max(time.Minute, idleHeartbeats*s.heartbeatInterval),
		MaxHeaderBytes: headerLimit,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// The handler answers OPTIONS * too: no request goes unseen.
		DisableGeneralOptionsHandler: true,
	}
}

// serve answers requests until ctx ends, then lets those in flight finish. It prints
// where it listens.
func serve(
	ctx context.Context, s settings, tls secured, mock *mockserver.Server, log *slog.Logger, stdout io.Writer,
) error {
	if strings.Contains(s.addr, "@") { // as in a URL with a password, which is not repeated
		return fmt.Errorf("--addr [%s or %s] holds an @: must be a host:port", envAddr, specAddr)
	}
	if s.addr == "" { // a script's variable that is not set must not open the mock to everyone
		return errors.New("--addr is empty: must be host:port, such as 127.0.0.1:8080")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("--addr [%s or %s] is %q: %w", envAddr, specAddr, s.addr, explainListen(err))
	}
	server := newServer(ctx, s, tls.config, mock, log)
	warnIfPublic(log, listener.Addr(), s, tls.mutual())
	greet(stdout, listener.Addr(), tls, mock.ControlPath())
	return serveOn(ctx, listener, server, log)
}

// explainListen says what to do about an address that cannot be listened on.
func explainListen(err error) error {
	const winInUse = syscall.Errno(10048) // WSAEADDRINUSE, which is not EADDRINUSE on Windows
	address, unknown := new(net.AddrError), new(net.DNSError)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, winInUse):
		return errors.New("another program listens there already: end it, or take another port (0 takes a free one)")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errors.New("this machine has no such address: take 127.0.0.1, or 0.0.0.0 for all that it has")
	case errors.Is(err, syscall.EACCES):
		return errors.New("this user may not listen there: take a port from 1024 on")
	case errors.As(err, &address):
		return fmt.Errorf("%s: must be host:port, such as 127.0.0.1:8080", address.Err)
	case errors.As(err, &unknown): // a host or a port by its name
		return fmt.Errorf("%s: must be host:port, such as 127.0.0.1:8080", unknown.Err)
	}
	return err
}

func serveOn(ctx context.Context, listener net.Listener, server *http.Server, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() {
		if server.TLSConfig == nil {
			failed <- server.Serve(listener)
		} else {
			failed <- server.ServeTLS(listener, "", "")
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		log.Warn("requests in flight were cut off")
		return server.Close()
	}
	return nil
}
