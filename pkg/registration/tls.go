package registration

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
)

// TLS says whom a node trusts and how it shows who it is. Orchestratord's
// certificate is always verified (CLOUD-4022), with TLS 1.2 at the least.
type TLS struct {
	// CAFile holds the certificates, PEM, of those that may vouch for
	// orchestratord, instead of the system's. RootCAs are the same as a pool;
	// only one of the two may be set.
	CAFile  string
	RootCAs *x509.CertPool
	// CertFile and KeyFile hold the node's own certificate and key, PEM, for
	// mutual TLS (CLOUD-4002). They are read for every new connection, so that
	// they may be replaced while the node runs; while they do not fit together
	// the last pair that did is used.
	CertFile, KeyFile string
}

// config returns what TLS means for a connection; the error lists everything
// that is wrong.
func (t TLS) config() (*tls.Config, error) {
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
	if t.CertFile != "" || t.KeyFile != "" {
		pair := &keyPair{certFile: t.CertFile, keyFile: t.KeyFile}
		_, err := pair.read()
		wrong = append(wrong, err)
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.read() }
	}
	return config, errors.Join(wrong...)
}

func readPool(file string) (*x509.CertPool, error) {
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("TLS CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("TLS CA file: %s holds no certificate", file)
	}
	return pool, nil
}

// keyPair is a certificate and its key in files that may be replaced.
type keyPair struct {
	certFile, keyFile string

	mu   sync.Mutex
	last *tls.Certificate // the last pair that fitted
}

// read returns the pair as it is in the files, or the last one that fitted.
func (p *keyPair) read() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pair, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err == nil {
		p.last = &pair
	}
	if p.last == nil {
		return nil, fmt.Errorf("TLS client certificate: %w", err)
	}
	return p.last, nil
}
