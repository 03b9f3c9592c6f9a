package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	readTimeout   = 30 * time.Second // for a request, which may be 2 MiB on a slow line
	headerTimeout = 5 * time.Second
	// Nodes keep their connection between heartbeats.
	idleHeartbeats = 3
	shutdownGrace  = 5 * time.Second // for requests in flight
)

// serve answers requests until ctx ends, then lets those in flight finish. It prints
// where it listens.
func serve(ctx context.Context, s settings, handler http.Handler, log *slog.Logger, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout,
		IdleTimeout:       max(time.Minute, idleHeartbeats*s.heartbeatInterval),
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	fmt.Fprintf(stdout, "mock-orchestratord listens on http://%s\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
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
