package registration_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/internal/hang"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// authority issues certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a, err := makeAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a.in(t)
}

// in returns the authority for a test, which its files last as long as.
func (a *authority) in(t *testing.T) *authority { return &authority{t, a.cert, a.key} }

func makeAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert: cert, key: key}, err
}

// systemAuthority is trusted by the machine of the tests, for a file that trustSystemAuthority names in
// the environment. It has to be there before anything reads the machine's authorities.
var systemAuthority *authority

func trustSystemAuthority() (remove func(), err error) {
	if systemAuthority, err = makeAuthority(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "authorities")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "system.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: systemAuthority.cert.Raw})
	return func() { os.RemoveAll(dir) }, errors.Join(os.WriteFile(file, text, 0o600), os.Setenv("SSL_CERT_FILE", file))
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) file() string {
	path := filepath.Join(a.t.TempDir(), "ca.pem")
	write(a.t, path, "CERTIFICATE", a.cert.Raw)
	return path
}

// issue writes a certificate for a name, and its key, into two files.
func (a *authority) issue(name, certFile, keyFile string) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, _ := x509.MarshalECPrivateKey(key)
	write(a.t, certFile, "CERTIFICATE", der)
	write(a.t, keyFile, "EC PRIVATE KEY", keyDER)
}

func write(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tlsServer is an orchestratord behind TLS that notes who its clients are.
func tlsServer(t *testing.T, a *authority, config *tls.Config) (url string, clients func() string) {
	dir := t.TempDir()
	a.issue("orchestratord", dir+"/server.pem", dir+"/server.key")
	certificate, err := tls.LoadX509KeyPair(dir+"/server.pem", dir+"/server.key")
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{certificate}
	var names []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			names = append(names, r.TLS.PeerCertificates[0].Subject.CommonName)
		}
		w.Header().Set("Connection", "close") // so that each request is a new connection
		w.Write([]byte(well("register").body))
	}))
	server.Config.ErrorLog = discard
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, func() string { return strings.Join(names, " ") }
}

func tlsConfig(t *testing.T, url string, settings registration.TLS) registration.Config {
	c := config(t, nil)
	c.HTTPClient = nil
	c.OrchestratordURL = url
	c.TLS = settings
	return c
}

func TestTLSIsVerified(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	url, _ := tlsServer(t, ours, &tls.Config{})
	old, _ := tlsServer(t, ours, &tls.Config{MaxVersion: tls.VersionTLS12})
	tooOld, _ := tlsServer(t, ours, &tls.Config{MaxVersion: tls.VersionTLS11})
	known, _ := tlsServer(t, systemAuthority.in(t), &tls.Config{})
	readsFile := runtime.GOOS != "windows" && runtime.GOOS != "darwin" // which do not look at SSL_CERT_FILE
	for name, test := range map[string]struct {
		url      string
		settings registration.TLS
		ok       bool
	}{
		"a CA file":                             {url, registration.TLS{CAFile: ours.file()}, true},
		"a pool":                                {url, registration.TLS{RootCAs: ours.pool()}, true},
		"unknown to the system":                 {url, registration.TLS{}, false},
		"known to the system":                   {known, registration.TLS{}, readsFile},
		"known to the system, beside a CA file": {known, registration.TLS{CAFile: ours.file()}, false},
		"another authority":                     {url, registration.TLS{RootCAs: theirs.pool()}, false},
		"another name": {
			strings.Replace(url, "127.0.0.1", "localhost", 1), registration.TLS{RootCAs: ours.pool()}, false,
		},
		"a server of TLS 1.2": {old, registration.TLS{RootCAs: ours.pool()}, true},
		"a server of TLS 1.1": {tooOld, registration.TLS{RootCAs: ours.pool()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := tlsConfig(t, test.url, test.settings)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.OnEvent = func(e registration.Event) {
				if e.Type == registration.EventFailed {
					cancel() // rather than to try again
				}
			}
			node := newNode(t, c)
			defer node.Stop(t.Context())
			if err := node.Register(ctx); (err == nil) != test.ok {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestClientCertificateIsReadAgain(t *testing.T) {
	ours := newAuthority(t)
	url, clients := tlsServer(t, ours, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool()})
	dir := t.TempDir()
	settings := registration.TLS{CAFile: ours.file(), CertFile: dir + "/node.pem", KeyFile: dir + "/node.key"}

	ours.issue("first", settings.CertFile, settings.KeyFile)
	var log strings.Builder
	c := tlsConfig(t, url, settings)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	node := newNode(t, c)
	register := func() {
		t.Helper()
		if err := node.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	register()
	ours.issue("second", settings.CertFile, settings.KeyFile)
	register()
	for _, name := range []string{"third", "fourth"} {
		ours.issue("half replaced", settings.CertFile, dir+"/elsewhere.key")
		register()
		register()
		write(t, settings.KeyFile, "NO KEY", nil)
		register()
		ours.issue(name, settings.CertFile, settings.KeyFile)
		register()
	}
	if want := "first second second second second third third third third fourth"; clients() != want {
		t.Errorf("the node showed itself as %s, want %s", clients(), want)
	}
	if err := node.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "certificate cannot be replaced"); n != 4 {
		t.Errorf("%d lines name what cannot be used, want one for each of the two reasons, each time:\n%s", n,
			log.String())
	}
}

// A file is read up to its limit, and refused if it has a byte more.
func TestFilesHaveALimit(t *testing.T) {
	dir := t.TempDir()
	a := newAuthority(t)
	a.issue("node", dir+"/node.pem", dir+"/node.key")
	write(t, dir+"/token", "TOKEN", nil)
	transport := func(settings registration.TLS) error {
		_, err := settings.Transport(&http.Transport{}, nil)
		return err
	}
	for file, test := range map[string]struct {
		limit int
		read  func(file string) error
	}{
		a.file(): {1 << 20, func(file string) error { return transport(registration.TLS{CAFile: file}) }},
		dir + "/node.pem": {1 << 20, func(file string) error {
			return transport(registration.TLS{CertFile: file, KeyFile: dir + "/node.key"})
		}},
		dir + "/token": {64 << 10, func(file string) error {
			_, err := registration.TokenFile(file)(t.Context())
			return err
		}},
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, above := range []int{0, 1} {
			padded := append(content, bytes.Repeat([]byte("\n"), test.limit+above-len(content))...)
			if err := os.WriteFile(file, padded, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := test.read(file); (err == nil) != (above == 0) {
				t.Errorf("%s of %d bytes: %v", file, len(padded), err)
			}
		}
	}
}

func TestNewListsWhatIsWrongWithTLS(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := registration.New(tlsConfig(t, "https://orchestratord", registration.TLS{
		CAFile: empty, RootCAs: x509.NewCertPool(), CertFile: "missing.pem", KeyFile: "missing.key",
	}))
	if !errors.Is(err, registration.ErrConfig) {
		t.Fatalf("error is %v, want ErrConfig", err)
	}
	for _, want := range []string{
		"empty.pem holds no certificate", "both a CA file and a pool",
		"TLS client certificate: stat missing.pem",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	base := &http.Transport{}
	if _, err := (registration.TLS{RootCAs: x509.NewCertPool()}).Transport(base, nil); err != nil ||
		base.TLSClientConfig != nil && base.TLSClientConfig.RootCAs != nil {
		t.Errorf("error %v, and the transport that another is made from has got its authorities", err)
	}
	for want, settings := range map[string]registration.TLS{
		"a certificate file without a key file": {CertFile: empty},
		"a key file without a certificate file": {KeyFile: empty},
	} {
		_, err := registration.New(tlsConfig(t, "https://orchestratord", settings))
		if !errors.Is(err, registration.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	parts := []registration.TLS{
		{CAFile: "ca.pem"}, {RootCAs: x509.NewCertPool()}, {CertFile: "node.pem", KeyFile: "node.key"},
	}
	for _, settings := range parts {
		_, err := registration.New(tlsConfig(t, "http://orchestratord", settings))
		if err == nil || !strings.Contains(err.Error(), "not https") {
			t.Errorf("TLS of %+v beside an http URL: error is %v", settings, err)
		}
	}
	for _, settings := range parts {
		c := tlsConfig(t, "https://orchestratord", settings)
		c.HTTPClient = http.DefaultClient
		if _, err := registration.New(c); err == nil || !strings.Contains(err.Error(), "beside an HTTP client") {
			t.Errorf("TLS of %+v beside an HTTP client: error is %v", settings, err)
		}
	}
}

// The network does not wait for the file system: the certificate from before is still good.
func TestAClientCertificateThatHangs(t *testing.T) {
	ours := newAuthority(t)
	url, clients := tlsServer(t, ours, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool()})
	dir := t.TempDir()
	settings := registration.TLS{CAFile: ours.file(), CertFile: dir + "/node.pem", KeyFile: dir + "/node.key"}
	ours.issue("node", settings.CertFile, settings.KeyFile)
	node := newNode(t, tlsConfig(t, url, settings))
	hang.File(t, settings.KeyFile)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // four attempts
	defer cancel()
	if err := node.Register(ctx); err != nil || clients() != "node" {
		t.Errorf("the node showed itself as %q: %v", clients(), err)
	}
	if err := node.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
