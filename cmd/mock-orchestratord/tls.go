package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/internal/devcert"
)

// security is what the command line says of TLS.
type security struct {
	certFile, keyFile string
	dev               bool
	dir               string
	hosts             []string
	clientCAFile      string
	mutual            bool // also without a file
	set               *pflag.FlagSet
}

func (s *security) flags(flags *pflag.FlagSet) {
	flags.Var(cli.File(&s.certFile), "tls-cert",
		"`file` with the certificate to serve TLS with, PEM; it and its key may be replaced while the mock runs")
	flags.Var(cli.File(&s.keyFile), "tls-key", "`file` with its key")
	flags.BoolVar(&s.dev, "tls-dev", false,
		"serve TLS with a certificate made for development, and say how nodes come to trust it")
	flags.Var(cli.File(&s.dir), "tls-dir",
		"`directory` to keep the certificate of --tls-dev in, which only its owner may read and write (default "+
			"mock-orchestratord in the user's cache directory)")
	flags.StringArrayVar(&s.hosts, "tls-host", nil,
		"`name` or address that the certificate of --tls-dev is for, besides those of this machine's loopback and "+
			"that of --addr; repeat for more")
	flags.Var(cli.File(&s.clientCAFile), "tls-client-ca",
		"`file` with the certificates, PEM, of those that vouch for nodes: nodes must show a certificate (mutual "+
			"TLS); it may be replaced while the mock runs")
	flags.BoolVar(&s.mutual, "mtls", false, "nodes must show a certificate: with --tls-dev the one made for them")
	s.set = flags
}

// secured is the loaded configuration of TLS.
type secured struct {
	config *tls.Config    // nil without TLS
	made   *devcert.Files // nil where the certificates were given
}

// mutual reports whether nodes must show a certificate.
func (s secured) mutual() bool {
	return s.config != nil && s.config.ClientAuth == tls.RequireAndVerifyClientCert
}

// load loads what the command line asks for. The error lists everything that is wrong.
func (s security) load(ctx context.Context, addr string, log *slog.Logger) (secured, error) {
	if err := s.check(); err != nil || !s.dev && s.certFile == "" {
		return secured{}, err
	}
	if !s.dev {
		config, err := s.config(ctx, log)
		return secured{config, nil}, err
	}
	made, err := s.makeCertificates(ctx, addr)
	if err != nil {
		return secured{}, fmt.Errorf("--tls-dev: %w", err)
	}
	s.certFile, s.keyFile = made.Server, made.Server
	if s.mutual && s.clientCAFile == "" {
		s.clientCAFile = made.CA
	}
	config, err := s.config(ctx, log)
	return secured{config, &made}, err
}

// check says which flags do not go together.
func (s security) check() error {
	given := s.certFile != "" || s.keyFile != ""
	asked := s.mutual || s.clientCAFile != ""
	wrong := []error{cli.Together(s.set, "tls-cert", "tls-key")}
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{s.dev && given, "--tls-dev makes a certificate and its key: --tls-cert and --tls-key have no place beside it"},
		{!s.dev && (s.dir != "" || len(s.hosts) > 0), "--tls-dir and --tls-host need --tls-dev"},
		{asked && !s.dev && !given, "--mtls and --tls-client-ca need --tls-dev, or --tls-cert and --tls-key"},
		{
			s.mutual && given && s.clientCAFile == "",
			"--mtls needs --tls-client-ca, since only --tls-dev makes certificates for nodes",
		},
	} {
		if rule.broken {
			wrong = append(wrong, errors.New(rule.text))
		}
	}
	return errors.Join(wrong...)
}

func (s security) makeCertificates(ctx context.Context, addr string) (devcert.Files, error) {
	dir := s.dir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return devcert.Files{}, fmt.Errorf("no directory to keep certificates in, name one with --tls-dir: %w", err)
		}
		dir = filepath.Join(cache, "mock-orchestratord")
	}
	return devcert.Make(ctx, dir, append(hostsOf(addr), s.hosts...)...)
}

// hostsOf returns the host of an address, if it names one. It ignores an invalid address,
// since listening reports that.
func hostsOf(addr string) []string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsUnspecified() {
			return nil
		}
		host = ip.WithZone("").String()
	}
	return []string{host}
}

// config returns a configuration that follows changes of its files, and logs them.
func (s security) config(ctx context.Context, log *slog.Logger) (*tls.Config, error) {
	pair := watch("certificate and key", fmt.Sprintf("--tls-cert %s, --tls-key %s", s.certFile, s.keyFile), log,
		parsePair, s.certFile, s.keyFile)
	_, pairErr := pair.read(ctx)
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return pair.read(hello.Context())
		},
	}
	if s.clientCAFile == "" {
		return config, pairErr
	}
	pool := watch("certificates of those who vouch for nodes", "--tls-client-ca", log, poolOf(s.clientCAFile),
		s.clientCAFile)
	_, poolErr := pool.read(ctx)
	config.ClientAuth = tls.RequireAndVerifyClientCert // also when a session goes on
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		current := config.Clone()
		var err error
		current.ClientCAs, err = pool.read(hello.Context())
		return current, err
	}
	return config, errors.Join(pairErr, poolErr)
}

func parsePair(texts [][]byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(texts[0], texts[1])
	return &pair, err
}

// poolOf returns what reads the certificates in a file of this name.
func poolOf(file string) func(texts [][]byte) (*x509.CertPool, error) {
	return func(texts [][]byte) (*x509.CertPool, error) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(texts[0]) {
			return nil, fmt.Errorf("%s holds no certificate", file)
		}
		return pool, nil
	}
}
