package devcert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/devcert"
)

const day = 24 * time.Hour

func certificates(t *testing.T, dir string, hosts ...string) devcert.Files {
	t.Helper()
	files, err := devcert.Make(t.Context(), dir, hosts...)
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

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// verify reports whether one who trusts the authority takes the certificate in a file.
func verify(t *testing.T, ca []byte, file, host string, usage x509.ExtKeyUsage) error {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("the authority has no certificate")
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "certificates")
	files := certificates(t, dir, "Mock.Example", "192.0.2.7")
	ca := read(t, files.CA)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "mock.example", "192.0.2.7"} {
		if err := verify(t, ca, files.Server, host, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("server as %s: %v", host, err)
		}
	}
	for name, err := range map[string]error{
		"the server under another name": verify(t, ca, files.Server, "other.example", x509.ExtKeyUsageServerAuth),
		"the server as a client":        verify(t, ca, files.Server, "", x509.ExtKeyUsageClientAuth),
		"the client as a server":        verify(t, ca, files.Client, "", x509.ExtKeyUsageServerAuth),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := verify(t, ca, files.Client, "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Errorf("client: %v", err)
	}
	if bytes.Contains(ca, []byte("KEY")) {
		t.Error("the authority gives its key away")
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certificates")
	certificates(t, dir)
	names := 0
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[entry.IsDir()]; err == nil &&
			info.Mode().Perm() != want {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		names++
		return err
	})
	if err != nil || names != 5 {
		t.Errorf("%d entries, %v", names, err)
	}
}

// TestAgain makes certificates for the second time, after a while. Fake time is in 2000.
func TestAgain(t *testing.T) {
	for _, test := range []struct {
		name               string
		after              time.Duration
		hosts              []string
		lost               string
		ca, server, client bool // whether they are new
	}{
		{name: "at once"},
		{name: "half a year later", after: 183 * day},
		{name: "just in time", after: 397*day - 30*day, server: true, client: true},
		{name: "too late", after: 3 * 365 * day, server: true, client: true},
		{name: "after nine years", after: 9 * 365 * day, ca: true, server: true, client: true},
		{name: "after a hundred years", after: 100 * 365 * day, ca: true, server: true, client: true},
		{name: "for a host that it has", hosts: []string{"127.0.0.1", "first.example"}},
		{name: "for another host", hosts: []string{"second.example"}, server: true},
		{name: "server lost", lost: "server.pem", server: true},
		{name: "authority lost", lost: "ca-key.pem", ca: true, server: true, client: true},
		{name: "copy lost", lost: "ca.pem"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := private(t)
				files := certificates(t, dir, "first.example")
				ca, server, client := read(t, files.CA), read(t, files.Server), read(t, files.Client)
				time.Sleep(test.after)
				if test.lost != "" {
					os.Remove(filepath.Join(dir, test.lost))
				}
				certificates(t, dir, test.hosts...)
				renewed := [3]bool{
					!bytes.Equal(ca, read(t, files.CA)), !bytes.Equal(server, read(t, files.Server)),
					!bytes.Equal(client, read(t, files.Client)),
				}
				if want := [3]bool{test.ca, test.server, test.client}; renewed != want {
					t.Errorf("ca, server and client are new: %t, want %t", renewed, want)
				}
				for _, host := range append(test.hosts, "first.example", "localhost") {
					if err := verify(t, read(t, files.CA), files.Server, host,
						x509.ExtKeyUsageServerAuth); err != nil && test.lost == "" {
						t.Errorf("server as %s: %v", host, err)
					}
				}
				if err := verify(t, read(t, files.CA), files.Client, "", x509.ExtKeyUsageClientAuth); err != nil {
					t.Errorf("client: %v", err)
				}
			})
		})
	}
}

// TestForeignFiles finds files in its place that it has not made.
func TestForeignFiles(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "precious"}, NotAfter: time.Now().Add(day)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.pem", "ca-key.pem", "server.pem", "client.pem"} {
		for kind, text := range map[string][]byte{
			"text":        []byte("precious"),
			"certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		} {
			t.Run(name+" is a "+kind, func(t *testing.T) {
				file := filepath.Join(private(t), name)
				if err := os.WriteFile(file, text, 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := devcert.Make(t.Context(), filepath.Dir(file))
				if err == nil || !strings.Contains(err.Error(), file) {
					t.Errorf("error is %v", err)
				}
				if !bytes.Equal(read(t, file), text) {
					t.Error("the file was replaced")
				}
			})
		}
	}
}

func TestMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		dir   string
		hosts []string
		want  []string
	}{
		{"no directory", file, nil, []string{file}},
		{
			"no hosts", private(t),
			[]string{"a b", "", "*.example", "[::1]", "host:8080", "good.example"},
			[]string{`"a b"`, `""`, `"*.example"`, `"[::1]"`, `"host:8080"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := devcert.Make(t.Context(), test.dir, test.hosts...)
			if err == nil || strings.Contains(err.Error(), "good.example") {
				t.Fatalf("error is %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not say %s", err, want)
				}
			}
		})
	}
}

func TestKeysAreP256(t *testing.T) {
	files := certificates(t, private(t))
	for _, file := range []string{files.Server, files.Client} {
		pair, err := tls.LoadX509KeyPair(file, file)
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := pair.PrivateKey.(*ecdsa.PrivateKey); !ok || key.Params().Name != "P-256" {
			t.Errorf("%s has a %T", file, pair.PrivateKey)
		}
	}
}

// TestOthers has a directory and files that others than their owner may use.
func TestOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are elsewhere")
	}
	for _, test := range []struct {
		name string
		mode os.FileMode
	}{
		{"", 0o777},
		{"", 0o755},
		{"", 0o711},
		{"", 0o770},
		{"ca-key.pem", 0o644},
		{"ca-key.pem", 0o602},
		{"server.pem", 0o640},
		{"client.pem", 0o604},
	} {
		dir := private(t)
		certificates(t, dir)
		path := filepath.Join(dir, test.name)
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		_, err := devcert.Make(t.Context(), dir)
		if err == nil || !strings.Contains(err.Error(), "run chmod 0") || !strings.Contains(err.Error(), path) {
			t.Errorf("%q with mode %#o: error is %v", test.name, test.mode, err)
		}
	}
	dir := private(t)
	if err := os.Chmod(certificates(t, dir).CA, 0o644); err != nil {
		t.Fatal(err)
	}
	certificates(t, dir) // the authority's certificate is for everybody
}
