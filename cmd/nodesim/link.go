package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// linkFlags defines the flags that say where orchestratord is and how a node talks to
// it. What the Config holds is their default.
func linkFlags(flags *pflag.FlagSet, c *registration.Config) {
	flags.StringVar(&c.OrchestratordURL, "orchestratord-url", c.OrchestratordURL, "base URL of orchestratord ["+registration.EnvOrchestratordURL+"]")
	flags.DurationVar(&c.HeartbeatInterval, "interval", c.HeartbeatInterval, "time between a node's heartbeats, 0 to let orchestratord direct it ["+registration.EnvHeartbeatInterval+"]")
	flags.DurationVar(&c.NodeTimeout, "node-timeout", cmp.Or(c.NodeTimeout, registration.DefaultNodeTimeout), "silence after which orchestratord counts a node as offline; more than two intervals ["+registration.EnvNodeTimeout+"]")
	flags.Func("token", "bearer `token` ["+registration.EnvAPIToken+"]", func(token string) error {
		c.APIToken = registration.StaticToken(token)
		return nil
	})
	flags.StringVar(&c.TLS.CAFile, "tls-ca", "", "`file` with the certificates that may vouch for orchestratord, instead of the system's")
	flags.StringVar(&c.TLS.CertFile, "tls-cert", "", "`file` with the node's own certificate, for mTLS")
	flags.StringVar(&c.TLS.KeyFile, "tls-key", "", "`file` with its key")
}

// tlsConfig returns what TLS means for the one transport of many nodes; a Config that
// has a client of its own has no say in it. The node's certificate is read for every
// new connection, so that it may be replaced. Whether it fits its key is for the check
// of the Config.
func tlsConfig(t registration.TLS) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		certificates, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("TLS CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(certificates)
	}
	if t.CertFile != "" {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return &pair, err
		}
	}
	return config, nil
}
