package devcert

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/internal/atomicfile"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

// pair is a certificate and its key. A nil pair is one that is still to be made.
type pair struct {
	certificate *x509.Certificate
	key         crypto.Signer // nil where only the certificate was read
}

// issue makes a pair that ca signs. Without a ca, the pair signs itself.
func issue(template *x509.Certificate, ca *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if ca == nil {
		ca = &pair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &pair{certificate, key}, err
}

// renew puts a new pair into a file.
func renew(file string, template *x509.Certificate, ca *pair) (*pair, error) {
	fresh, err := issue(template, ca)
	if err != nil {
		return nil, err
	}
	return fresh, fresh.write(file)
}

// goodUnder reports whether a pair is one of ca's and will be for a while.
func (p *pair) goodUnder(ca *pair) bool {
	return p != nil && p.key != nil && !p.lapsesWithin(renewal) &&
		p.certificate.CheckSignatureFrom(ca.certificate) == nil
}

func (p *pair) lapsesWithin(d time.Duration) bool {
	return time.Now().Add(d).After(p.certificate.NotAfter)
}

// covers reports whether a server with this certificate may be any of hosts.
func (p *pair) covers(hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool { return p.certificate.VerifyHostname(host) != nil })
}

// hosts returns which hosts a server with this certificate may be.
func (p *pair) hosts() []string {
	if p == nil {
		return nil
	}
	hosts := slices.Clone(p.certificate.DNSNames)
	for _, ip := range p.certificate.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}

// readPrivate is read for a file with a key.
func readPrivate(ctx context.Context, file string) (*pair, error) {
	if err := checkPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return read(ctx, file)
}

// read returns the pair in a file, or nil where there is no file.
func read(ctx context.Context, file string) (*pair, error) {
	text, err := regularfile.Read(ctx, file, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := parse(text)
	if p == nil || !slices.Contains(p.certificate.Issuer.Organization, organization) {
		return nil, fmt.Errorf("%s is not a development certificate made here: remove it or name another directory",
			file)
	}
	return p, nil
}

// maxFile is more bytes than a certificate and its key take.
const maxFile = 64 << 10

// parse returns the pair that a text holds, or nil.
func parse(text []byte) *pair {
	first, rest := pem.Decode(text)
	if first == nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil
	}
	p := &pair{certificate: certificate}
	if second, _ := pem.Decode(rest); second != nil {
		key, _ := x509.ParsePKCS8PrivateKey(second.Bytes)
		p.key, _ = key.(crypto.Signer)
	}
	return p
}

func (p *pair) certificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw})
}

func (p *pair) write(file string) error {
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return err
	}
	return write(file, append(p.certificatePEM(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...))
}

// write writes a text atomically to a file that only its owner may read.
func write(file string, text []byte) error { return atomicfile.Write(file, text, 0o600) }
