// Command pool-managerd is a node to start from. It detects the hardware, registers with
// orchestratord, serves work on one pool of slots, and drains when it is stopped. Replace
// pool.go by your engine; the rest is what any node needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/llama-orch/node-registration/pkg/capabilities"
	"github.com/llama-orch/node-registration/pkg/registration"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		slog.Error("pool-managerd has failed", "error", err)
		os.Exit(1)
	}
}

// settings are what the flags and the environment say.
type settings struct {
	node   registration.Config
	listen string
	slots  int
	drain  time.Duration
}

// parse reads the environment of a node, which registration.ConfigFromEnv lists, and flags
// for what it has no variable for.
func parse(args []string) (s settings, err error) {
	if s.node, err = registration.ConfigFromEnv(); err != nil {
		return s, err
	}
	flags := flag.NewFlagSet("pool-managerd", flag.ContinueOnError)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:9200", "`address` to serve work, probes and metrics on")
	flags.IntVar(&s.slots, "slots", 4, "how many requests the pool works on at once")
	flags.DurationVar(&s.drain, "drain-timeout", 30*time.Second, "time that work has to end after SIGTERM")
	flags.StringVar(&s.node.TLS.CAFile, "tls-ca", "", "`file` with the certificates that may vouch for orchestratord")
	flags.StringVar(&s.node.TLS.CertFile, "tls-cert", "", "`file` with this node's certificate, for mTLS")
	flags.StringVar(&s.node.TLS.KeyFile, "tls-key", "", "`file` with its key")
	flags.Func("token-file", "`file` with the token, which may be replaced while the node runs",
		func(file string) error {
			s.node.APIToken = registration.TokenFile(file)
			return nil
		})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("%q belongs to no flag, and there are no other arguments", flags.Arg(0))
	case len(s.node.Pools) != 1:
		err = fmt.Errorf("%s names %d pools: must name one", registration.EnvPools, len(s.node.Pools))
	case s.slots < 1:
		err = fmt.Errorf("-slots is %d: must be 1 or more", s.slots)
	case (s.node.TLS.CertFile == "") != (s.node.TLS.KeyFile == ""):
		err = errors.New("-tls-cert and -tls-key need each other, and only one is set")
	}
	return s, err
}

// run is the life of the daemon: until ctx ends, and then until its work is done.
func run(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx)) // lasts while the node drains
	defer end()
	machine := new(capabilities.Machine)
	if s.node.Capabilities, err = detect(ctx, machine); err != nil {
		slog.Warn("not all of the hardware could be read", "error", err)
	}
	metrics, meters, err := newMetrics()
	if err != nil {
		return err
	}
	pool := newPool(s.node.Pools[0], s.slots)
	go pool.watchMemory(life, machine)
	s.node.MeterProvider = meters
	s.node.OnEvent = report
	leave := sync.OnceFunc(func() { drain(life, pool, s.drain) })
	s.node.Drain = func(context.Context) { leave() }
	node, err := registration.New(s.node)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	slog.Info("serving", "address", listener.Addr().String())
	server := &http.Server{Handler: routes(node, pool, metrics), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	ready()
	go watchdog(life, node)
	err = node.Run(ctx, pool.status)
	leave() // a node that orchestratord does not know has not drained yet
	return errors.Join(err, shut(life, server))
}

// shut ends the server. Answers that are being sent have a second to be read.
func shut(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if server.Shutdown(ctx) == nil {
		return nil
	}
	return server.Close()
}

// driverTimeout is how long the hardware may take to be read: a driver may hang.
const driverTimeout = 10 * time.Second

func detect(ctx context.Context, machine *capabilities.Machine) (registration.Capabilities, error) {
	ctx, cancel := context.WithTimeout(ctx, driverTimeout)
	defer cancel()
	return machine.Detect(ctx)
}

// drain notifies systemd that the daemon is on its way out, and waits until the pool's work is
// done. It waits no longer than that may take, nor after a second signal.
func drain(ctx context.Context, pool *pool, most time.Duration) {
	stopping()
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	select {
	case <-pool.drain():
	case <-ctx.Done():
		slog.Warn("leaving with work under way", "why", context.Cause(ctx))
	}
}
