package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/llama-orch/node-registration/internal/devcert"
	"github.com/llama-orch/node-registration/internal/hang"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// TestReplacedCertificate has new files come one by one while the mock runs.
func TestReplacedCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	place := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second := certificates(t), certificates(t)
	place(first.Server, cert)
	place(first.Server, key)
	program := start(t, nil, "--tls-cert", cert, "--tls-key", key)
	for _, step := range []struct {
		name    string
		change  func()
		trusted devcert.Files
	}{
		{"as given", func() {}, first},
		{"half replaced", func() { place(second.Server, cert) }, first},
		{"replaced", func() { place(second.Server, key) }, second},
		{"removed", func() { os.Remove(key) }, second},
		{"broken", func() { place(second.Server, key); write(t, cert, "broken") }, second},
		{"as before", func() { place(second.Server, cert) }, second},
	} {
		step.change()
		for range 2 {
			if err := call(t, program.url, registration.TLS{CAFile: step.trusted.CA}); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
		}
	}
	_, _, log := program.stop()
	rest := log
	for _, want := range []string{
		"those before stay in use",
		"--tls-cert " + cert + ", --tls-key " + key + ": tls: private key does not match public key",
		"certificate and key read again",
		"those before stay in use", "no such file",
		"those before stay in use", "failed to find any PEM data in certificate input",
		"certificate and key read again",
	} {
		var found bool
		if _, rest, found = strings.Cut(rest, want); !found {
			t.Errorf("%q is not logged, or not in its place", want)
		}
	}
	if count := strings.Count(log, "those before stay in use") + strings.Count(log, "read again"); count != 5 {
		t.Errorf("the certificate is logged %d times, want 5: %s", count, log)
	}
}

// TestHangingCertificate has new connections come while the key is on a file system that hangs.
func TestHangingCertificate(t *testing.T) {
	server := certificates(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	text, err := os.ReadFile(server.Server)
	if err != nil {
		t.Fatal(err)
	}
	write(t, key, string(text))
	program := start(t, nil, "--tls-cert", server.Server, "--tls-key", key)
	hang.File(t, key)
	var nodes sync.WaitGroup
	for range 5 {
		nodes.Go(func() {
			if err := call(t, program.url, registration.TLS{CAFile: server.CA}); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
}

// TestReplacedAuthority has nodes come whose authority is replaced while the mock runs: first
// both are trusted, then the new one alone. A session does not outlive its authority.
func TestReplacedAuthority(t *testing.T) {
	server, first, second := certificates(t), certificates(t), certificates(t)
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	put := func(files ...string) func() {
		return func() {
			var all []byte
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, text...)
			}
			write(t, trusted, string(all))
		}
	}
	put(first.CA)()
	sessions := map[uint16]*http.Client{
		tls.VersionTLS12: resuming(t, first.Client, tls.VersionTLS12),
		tls.VersionTLS13: resuming(t, first.Client, tls.VersionTLS13),
	}
	program := start(t, nil, "--tls-cert", server.Server, "--tls-key", server.Server, "--tls-client-ca", trusted)
	for _, step := range []struct {
		name        string
		change      func()
		first, then bool // who gets in
	}{
		{"as given", func() {}, true, false},
		{"both", put(first.CA, second.CA), true, true},
		{"broken", func() { write(t, trusted, "broken") }, true, true},
		{"removed", func() { os.Remove(trusted) }, true, true},
		{"the new one", put(second.CA), false, true},
	} {
		step.change()
		for node, in := range map[string]bool{first.Client: step.first, second.Client: step.then} {
			err := call(t, program.url, registration.TLS{CAFile: server.CA, CertFile: node, KeyFile: node})
			if (err == nil) != in {
				t.Errorf("%s: error is %v, want none is %t", step.name, err, in)
			}
		}
		for version, session := range sessions {
			resumed, err := resumes(session, program.url)
			if (err == nil) != step.first || resumed != (step.first && step.name != "as given") {
				t.Errorf("%s: a session of the first authority in %s goes on: %t, error %v", step.name,
					tls.VersionName(version), resumed, err)
			}
		}
	}
	_, _, log := program.stop()
	if stay, again := strings.Count(log, "those before stay in use"), strings.Count(log, "read again"); stay != 2 ||
		again != 2 {
		t.Errorf("it is logged %d times that a replacement does not load, and %d times that one does: %s", stay, again,
			log)
	}
}

// resumes makes a connection, and reports whether it goes on with the session of the one before.
func resumes(client *http.Client, url string) (bool, error) {
	answer, err := client.Get(url + "/healthz")
	if err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.TLS.DidResume, errors.Join(err, answer.Body.Close())
}

// resuming returns a client that resumes its session of TLS in each connection.
func resuming(t *testing.T, certificate string, version uint16) *http.Client {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, certificate)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, MaxVersion: version,
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}}}
}
