package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// Trust returns a TLS configuration that trusts the authorities in a file as well as the
// system's. Without a file it returns nil.
func Trust(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	text, err := regularfile.ReadShort(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's authorities: %w", err)
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
