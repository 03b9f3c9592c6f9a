package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/devcert"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// call has a node register and deregister, and returns the first failure.
func call(t *testing.T, url string, settings registration.TLS) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	node, err := registration.New(registration.Config{
		NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://127.0.0.1:9200", Pools: []string{"pool-0"},
		OrchestratordURL: url, TLS: settings,
		OnEvent: func(e registration.Event) {
			if e.Type == registration.EventFailed && ctx.Err() == nil {
				failed <- e.Err
				cancel() // it would try again
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Register(ctx); err != nil {
		return <-failed
	}
	defer cancel()
	return node.Deregister(ctx)
}

func certificates(t *testing.T) devcert.Files {
	t.Helper()
	files, err := devcert.Make(t.Context(), filepath.Join(t.TempDir(), "tls"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// private returns a directory for nobody but its owner.
func private(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTLS(t *testing.T) {
	given, others := certificates(t), certificates(t)
	dev := private(t)
	ca, client := filepath.Join(dev, "ca.pem"), filepath.Join(dev, "client.pem")
	for _, test := range []struct {
		name string
		args []string
		node registration.TLS
		want string // in the error, and "" for none
	}{
		{
			"given",
			[]string{"--tls-cert", given.Server, "--tls-key", given.Server},
			registration.TLS{CAFile: given.CA},
			"",
		},
		{
			"given, not trusted",
			[]string{"--tls-cert", given.Server, "--tls-key", given.Server},
			registration.TLS{CAFile: others.CA},
			"signed by unknown authority",
		},
		{"made", []string{"--tls-dev", "--tls-dir", dev}, registration.TLS{CAFile: ca}, ""},
		{
			"made before",
			[]string{"--tls-dev", "--tls-dir", dev, "--tls-host", "mock.example"},
			registration.TLS{CAFile: ca},
			"",
		},
		{
			"made, not trusted",
			[]string{"--tls-dev", "--tls-dir", dev},
			registration.TLS{},
			"signed by unknown authority",
		},
		{
			"mutual",
			[]string{"--tls-dev", "--tls-dir", dev, "--mtls"},
			registration.TLS{CAFile: ca, CertFile: client, KeyFile: client},
			"",
		},
		{
			"mutual, no certificate",
			[]string{"--tls-dev", "--tls-dir", dev, "--mtls"},
			registration.TLS{CAFile: ca},
			"certificate required",
		},
		{
			"mutual, another's certificate",
			[]string{"--tls-dev", "--tls-dir", dev, "--mtls"},
			registration.TLS{CAFile: ca, CertFile: others.Client, KeyFile: others.Client},
			"unknown certificate authority",
		},
		{
			"mutual, the server's certificate",
			[]string{"--tls-dev", "--tls-dir", dev, "--mtls"},
			registration.TLS{
				CAFile: ca, CertFile: filepath.Join(dev, "server.pem"),
				KeyFile: filepath.Join(dev, "server.pem"),
			},
			"bad certificate",
		},
		{
			"mutual by file",
			[]string{"--tls-dev", "--tls-dir", dev, "--tls-client-ca", others.CA},
			registration.TLS{CAFile: ca, CertFile: others.Client, KeyFile: others.Client},
			"",
		},
		{
			"mutual by file, the made one",
			[]string{"--tls-dev", "--tls-dir", dev, "--mtls", "--tls-client-ca", others.CA},
			registration.TLS{CAFile: ca, CertFile: client, KeyFile: client},
			"unknown certificate authority",
		},
		{
			"all given",
			[]string{"--tls-cert", given.Server, "--tls-key", given.Server, "--tls-client-ca", others.CA},
			registration.TLS{CAFile: given.CA, CertFile: others.Client, KeyFile: others.Client},
			"",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := start(t, nil, test.args...)
			if !strings.HasPrefix(program.url, "https://") {
				t.Fatalf("it listens on %s", program.url)
			}
			err := call(t, program.url, test.node)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

// TestWhatTLSAgreesOn comes with versions of TLS from before 2008 too (CLOUD-4022), and offers HTTP/2, where
// no fault could act on one call alone.
func TestWhatTLSAgreesOn(t *testing.T) {
	dir := private(t)
	program := start(t, nil, "--tls-dev", "--tls-dir", dir, "--log-level", "error")
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no CA", err)
	}
	for version, taken := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false,
		tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		connection, err := tls.Dial("tcp", strings.TrimPrefix(program.url, "https://"),
			&tls.Config{
				RootCAs: roots, MinVersion: version, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"},
			})
		if err == nil {
			if got := connection.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
				t.Errorf("%s: the protocol is %q", tls.VersionName(version), got)
			}
			connection.Close()
		}
		if (err == nil) != taken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

// TestHostsOfTheCertificate has addresses to listen on, and the hosts that clients call them by.
func TestHostsOfTheCertificate(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1", "[fe80::1%eth0]:80": "fe80::1", "mock.example:80": "mock.example",
		"0.0.0.0:80": "", "[::]:80": "", ":80": "", "no address": "",
	} {
		if got := strings.Join(hostsOf(addr), " "); got != want {
			t.Errorf("%s: the certificate is for %q, want %q", addr, got, want)
		}
	}
}

func TestGreeting(t *testing.T) {
	dir := private(t)
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"no TLS", nil, nil},
		{"TLS", []string{"--tls-dev", "--tls-dir", dir}, []string{
			`curl --cacert "` + dir + `/ca.pem" URL/healthz`,
			`nodesim run --orchestratord-url URL --tls-ca "` + dir + `/ca.pem"`,
			`registration.TLS{CAFile: "` + dir + `/ca.pem"}`,
		}},
		{"mutual TLS", []string{"--tls-dev", "--tls-dir", dir, "--mtls"}, []string{
			`curl --cacert "` + dir + `/ca.pem" --cert "` + dir + `/client.pem" URL/healthz`,
			`nodesim run --orchestratord-url URL --tls-ca "` + dir + `/ca.pem" --tls-cert "` + dir +
				`/client.pem" --tls-key "` + dir + `/client.pem"`,
			`registration.TLS{CAFile: "` + dir + `/ca.pem", CertFile: "` + dir + `/client.pem", KeyFile: "` + dir +
				`/client.pem"}`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := start(t, nil, test.args...)
			_, printed, _ := program.stop()
			lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
			if printed == "" {
				lines = nil
			}
			if len(lines) != len(test.want) {
				t.Fatalf("it printed %q", printed)
			}
			for i, want := range test.want {
				if _, command, _ := strings.Cut(lines[i], ":  "); strings.TrimSpace(command) != strings.ReplaceAll(want,
					"URL", program.url) {
					t.Errorf("it printed %s, want %s", lines[i], want)
				}
			}
		})
	}
}

func TestTLSMistakes(t *testing.T) {
	good := certificates(t)
	dir := private(t)
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	everybodys := t.TempDir()
	if err := os.Chmod(everybodys, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{
			"half a pair",
			[]string{"--tls-cert", good.Server},
			[]string{"--tls-cert is set and --tls-key is not: one needs the other"},
		},
		{
			"missing file",
			[]string{"--tls-cert", good.Server, "--tls-key", "missing.pem"},
			[]string{"--tls-key missing.pem", "no such file"},
		},
		{
			"empty file",
			[]string{"--tls-cert", empty, "--tls-key", empty},
			[]string{"--tls-cert " + empty, "failed to find any PEM data"},
		},
		{
			"not a pair",
			[]string{"--tls-cert", good.Server, "--tls-key", good.Client},
			[]string{"--tls-key " + good.Client, "private key does not match"},
		},
		{
			"missing CA",
			[]string{"--tls-cert", good.Server, "--tls-key", good.Server, "--tls-client-ca", "missing.pem"},
			[]string{"--tls-client-ca: stat missing.pem: no such file"},
		},
		{
			"empty CA",
			[]string{"--tls-dev", "--tls-dir", dir, "--tls-client-ca", empty},
			[]string{"--tls-client-ca: " + empty + " holds no certificate"},
		},
		{"directory is a file", []string{"--tls-dev", "--tls-dir", empty}, []string{"--tls-dev: ", empty}},
		{
			"directory of everybody",
			[]string{"--tls-dev", "--tls-dir", everybodys},
			[]string{"--tls-dev: " + everybodys, "run chmod 0700 "},
		},
		{"device", []string{"--tls-cert", os.DevNull, "--tls-key", os.DevNull, "--tls-client-ca", os.DevNull}, []string{
			os.DevNull + " is not a regular file", "--tls-client-ca: " + os.DevNull,
		}},
		{
			"bad host",
			[]string{"--tls-dev", "--tls-dir", dir, "--tls-host", "a b"},
			[]string{`--tls-dev: host "a b" is neither a name nor an IP address`},
		},
		{
			"made and given",
			[]string{"--tls-dev", "--tls-cert", good.Server, "--tls-key", good.Server},
			[]string{"--tls-dev makes a certificate"},
		},
		{
			"no CA for nodes",
			[]string{"--tls-cert", good.Server, "--tls-key", good.Server, "--mtls"},
			[]string{"--mtls needs --tls-client-ca"},
		},
		{
			"no TLS",
			[]string{"--tls-client-ca", good.CA, "--tls-host", "h"},
			[]string{"--tls-dir and --tls-host need --tls-dev; ", "--mtls and --tls-client-ca need --tls-dev"},
		},
		{
			"all wrong files",
			[]string{
				"--tls-cert", "missing.pem", "--tls-key", "missing.pem", "--tls-client-ca", empty, "--log-level",
				"loud",
			},
			[]string{`"loud"`, "--tls-cert missing.pem", "--tls-client-ca: " + empty},
		},
		{
			"bad origin",
			[]string{"--cors-origin", "http://localhost/tool", "--cors-origin", "null"},
			[]string{`origin "http://localhost/tool": must be scheme://host`, `; --cors-origin "null": must be`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, want := range test.want {
				refuses(t, want, test.args...)
			}
		})
	}
}
