package devcert

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	lifeOfCA   = 10 * 365 * 24 * time.Hour
	lifeOfLeaf = 397 * 24 * time.Hour // no browser takes much longer ones
	renewal    = 31 * 24 * time.Hour  // before the end
	clockSkew  = time.Hour            // by which another machine may be behind

	// organization marks what this package has made.
	organization = "node-registration development"
)

func authorityTemplate() *x509.Certificate {
	t := template("development CA", lifeOfCA)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	return t
}

// serverTemplate is for hosts that are names or IP addresses, and may be repeated.
func serverTemplate(hosts []string) *x509.Certificate {
	t := template("development server", lifeOfLeaf)
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip == nil {
			t.DNSNames = append(t.DNSNames, strings.ToLower(host))
		} else {
			t.IPAddresses = append(t.IPAddresses, ip)
		}
	}
	slices.Sort(t.DNSNames)
	t.DNSNames = slices.Compact(t.DNSNames)
	slices.SortFunc(t.IPAddresses, func(a, b net.IP) int { return strings.Compare(a.String(), b.String()) })
	t.IPAddresses = slices.CompactFunc(t.IPAddresses, net.IP.Equal)
	return t
}

func clientTemplate() *x509.Certificate {
	t := template("development client", lifeOfLeaf)
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return t
}

func template(name string, life time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{organization}, CommonName: name},
		NotBefore: now.Add(-clockSkew),
		NotAfter:  now.Add(life),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}
