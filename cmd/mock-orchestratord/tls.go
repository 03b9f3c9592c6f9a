package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/pflag"

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
}

func (s *security) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.certFile, "tls-cert", "", "`file` with the certificate to serve TLS with, PEM; it and its key may be replaced while the mock runs")
	flags.StringVar(&s.keyFile, "tls-key", "", "`file` with its key")
	flags.BoolVar(&s.dev, "tls-dev", false, "serve TLS with a certificate made for development, and say how nodes come to trust it")
	flags.StringVar(&s.dir, "tls-dir", "", "`directory` to keep it in (default mock-orchestratord in the user's cache directory)")
	flags.StringArrayVar(&s.hosts, "tls-host", nil, "`name` or address that it is for, besides those of this machine's loopback and that of --addr; repeat for more")
	flags.StringVar(&s.clientCAFile, "tls-client-ca", "", "`file` with the certificates, PEM, of those that vouch for nodes: nodes must show a certificate (mutual TLS)")
	flags.BoolVar(&s.mutual, "mtls", false, "nodes must show a certificate: with --tls-dev the one made for them")
}

// secured is what becomes of it.
type secured struct {
	config *tls.Config    // nil without TLS
	made   *devcert.Files // nil where the certificates were given
}

// mutual reports whether nodes must show a certificate.
func (s secured) mutual() bool {
	return s.config != nil && s.config.ClientAuth == tls.RequireAndVerifyClientCert
}

// load makes ready what the command line asks for. The error lists everything that is
// wrong.
func (s security) load(addr string, log *slog.Logger) (secured, error) {
	if err := s.check(); err != nil || !s.dev && s.certFile == "" {
		return secured{}, err
	}
	if !s.dev {
		config, err := s.config(log)
		return secured{config, nil}, err
	}
	made, err := s.makeCertificates(addr)
	if err != nil {
		return secured{}, fmt.Errorf("--tls-dev: %w", err)
	}
	s.certFile, s.keyFile = made.Server, made.Server
	if s.mutual && s.clientCAFile == "" {
		s.clientCAFile = made.CA
	}
	config, err := s.config(log)
	return secured{config, &made}, err
}

// check says which flags do not go together.
func (s security) check() error {
	given := s.certFile != "" || s.keyFile != ""
	asked := s.mutual || s.clientCAFile != ""
	var wrong []error
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{(s.certFile == "") != (s.keyFile == ""), "--tls-cert and --tls-key: one needs the other"},
		{s.dev && given, "--tls-dev: makes what --tls-cert and --tls-key name"},
		{!s.dev && (s.dir != "" || len(s.hosts) > 0), "--tls-dir and --tls-host: are for --tls-dev"},
		{asked && !s.dev && !given, "--mtls and --tls-client-ca: need --tls-dev, or --tls-cert and --tls-key"},
		{s.mutual && given && s.clientCAFile == "", "--mtls: needs --tls-client-ca, since only --tls-dev makes certificates for nodes"},
	} {
		if rule.broken {
			wrong = append(wrong, errors.New(rule.text))
		}
	}
	return errors.Join(wrong...)
}

func (s security) makeCertificates(addr string) (devcert.Files, error) {
	dir := s.dir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return devcert.Files{}, fmt.Errorf("no directory to keep certificates in, name one with --tls-dir: %w", err)
		}
		dir = filepath.Join(cache, "mock-orchestratord")
	}
	return devcert.Make(dir, append(hostsOf(addr), s.hosts...)...)
}

// hostsOf returns the host of an address, if it names one. What is wrong with the
// address, listening says.
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

// config returns how to serve TLS with the files as they are. What becomes of them is logged.
func (s security) config(log *slog.Logger) (*tls.Config, error) {
	pair := &keyPair{certFile: s.certFile, keyFile: s.keyFile, log: log}
	_, pairErr := pair.read(nil)
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.read}
	if s.clientCAFile == "" {
		return config, pairErr
	}
	var poolErr error
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs, poolErr = readPool(s.clientCAFile)
	return config, errors.Join(pairErr, poolErr)
}

func readPool(file string) (*x509.CertPool, error) {
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--tls-client-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("--tls-client-ca: %s holds no certificate", file)
	}
	return pool, nil
}

// keyPair is a certificate and its key in files that may be replaced.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	last   *tls.Certificate // the last pair that fitted
	broken string           // why the files do not fit now, "" if they do
}

// read returns the pair as it is in the files, or the last one that fitted: while files
// are being replaced, they may not.
func (p *keyPair) read(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pair, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		err = fmt.Errorf("--tls-cert %s, --tls-key %s: %w", p.certFile, p.keyFile, err)
	}
	if p.last == nil && err != nil {
		return nil, err
	}
	p.tell(pair, err)
	if err == nil {
		p.last, p.broken = &pair, ""
	} else {
		p.broken = err.Error()
	}
	return p.last, nil
}

// tell logs what has become of the files, unless it is what it was.
func (p *keyPair) tell(pair tls.Certificate, err error) {
	switch {
	case err != nil && err.Error() != p.broken:
		p.log.Warn("certificate and key do not load, those before stay in use", "error", err)
	case err == nil && p.last != nil && (p.broken != "" || !slices.EqualFunc(pair.Certificate, p.last.Certificate, bytes.Equal)):
		p.log.Info("certificate and key read again", "cert", p.certFile, "key", p.keyFile)
	}
}
