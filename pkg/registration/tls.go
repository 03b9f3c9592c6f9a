package registration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// TLS says whom a node trusts and how it shows who it is. Orchestratord's
// certificate is always verified (CLOUD-4022), with TLS 1.2 at the least. All files must be
// regular ones of 1 MiB at the most. They may be replaced while the node runs: a replacement
// that does not load is logged, and the previous content stays in force.
type TLS struct {
	// CAFile holds the PEM certificates of the authorities that may vouch for
	// orchestratord, instead of the system's. It is read again when it has changed;
	// requests from then on have new connections. RootCAs is the same as a fixed pool. Only
	// one of the two may be set.
	CAFile  string
	RootCAs *x509.CertPool
	// CertFile and KeyFile hold the node's own certificate and key as PEM, for
	// mutual TLS (CLOUD-4002). They are read for every new connection; while they do
	// not fit together the last pair that did is used.
	CertFile, KeyFile string
}

// Transport returns a transport with the settings of base, except that t replaces its TLS
// settings. Base stays as it is. The transport has a method CloseIdleConnections. The log
// takes the replacements of files that do not load; nil means slog.Default. The error lists
// everything that is wrong with t.
func (t TLS) Transport(base *http.Transport, log *slog.Logger) (http.RoundTripper, error) {
	if log == nil {
		log = slog.Default()
	}
	transport := base.Clone()
	if t.CAFile == "" {
		config, err := t.configLogged(log)
		transport.TLSClientConfig = config
		return transport, err
	}
	// Before the file is read: what is written meanwhile is a change.
	trust := &trust{file: t.CAFile, log: log, seen: stampOf(t.CAFile)}
	config, err := t.configLogged(log)
	transport.TLSClientConfig = config
	trust.current.Store(transport)
	return trust, err
}

// config returns the settings of a connection. The error lists everything that is wrong.
func (t TLS) config() (*tls.Config, error) { return t.configLogged(slog.New(slog.DiscardHandler)) }

func (t TLS) configLogged(log *slog.Logger) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.RootCAs}
	var wrong []error
	if t.CAFile != "" {
		pool, err := readPool(t.CAFile)
		wrong = append(wrong, err)
		config.RootCAs = pool
	}
	if t.CAFile != "" && t.RootCAs != nil {
		wrong = append(wrong, errors.New("TLS has both a CA file and a pool of root CAs"))
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		wrong = append(wrong, errors.New("TLS has a certificate file without a key file"))
	case t.CertFile == "" && t.KeyFile != "":
		wrong = append(wrong, errors.New("TLS has a key file without a certificate file"))
	case t.CertFile != "":
		pair := newKeyPair(t, log)
		_, err := pair.read(context.Background())
		wrong = append(wrong, err)
		config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			ctx, cancel := context.WithTimeout(request.Context(), lookTimeout)
			defer cancel()
			return pair.read(ctx)
		}
	}
	return config, errors.Join(wrong...)
}

// maxPEM is far more than any bundle of certificates holds.
const maxPEM = 1 << 20

// keyPair is a certificate and its key in files that may be replaced.
type keyPair struct {
	files *regularfile.Patient[*tls.Certificate]
	log   *slog.Logger

	mu    sync.Mutex
	last  *tls.Certificate // the last pair that fitted
	fault string           // why the files are not used, as it was logged
}

func newKeyPair(t TLS, log *slog.Logger) *keyPair {
	p := &keyPair{log: log}
	p.files = regularfile.NewPatient(maxPEM, p.fit, t.CertFile, t.KeyFile)
	return p
}

// read returns the pair as it is in the files, or the last one that fitted.
func (p *keyPair) read(ctx context.Context) (*tls.Certificate, error) {
	pair, err := p.files.Read(ctx)
	if err == nil {
		return pair, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		return nil, fmt.Errorf("TLS client certificate: %w", err)
	}
	if err.Error() != p.fault {
		p.fault = err.Error()
		p.log.Warn("the TLS client certificate cannot be replaced: the one before is kept", "error", err)
	}
	return p.last, nil
}

// fit keeps the pair in the files, also if nobody waits for it any more.
func (p *keyPair) fit(texts [][]byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(texts[0], texts[1])
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.fault = &pair, ""
	return p.last, nil
}
