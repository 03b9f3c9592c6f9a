// Package devcert makes certificates for development: of an authority, of a server, and
// of a client for mutual TLS. They stay in a directory, so that clients that trust the
// authority still do when the server starts again.
//
// The certificates prove nothing to anybody else. Whoever can read the directory can pose
// as the server before those who trust the authority.
package devcert

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
)

// Files are the paths of what has been made, all PEM.
type Files struct {
	CA     string // the authority's certificate, which clients are to trust
	Server string // the server's certificate, and its key
	Client string // a client's certificate, and its key
}

// Make makes sure that dir holds certificates that are good for at least another month. The
// server's is for localhost, 127.0.0.1, ::1 and the given hosts, which are names or IP
// addresses. Make keeps certificates that are good, and only ever adds hosts to a server's. It
// renews those that are about to lapse, and the authority's after nine years. It makes dir
// where it is missing. The owner alone may read and write dir and its files.
//
// The error says which file or host is wrong. A file that this package did not make is wrong,
// and is left alone. So is a directory, or a file with a key, that others may read or write:
// the error says what to do about it. Reading ends with ctx.
func Make(ctx context.Context, dir string, hosts ...string) (Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Files{}, err
	}
	if err := errors.Join(checkHosts(hosts), checkPrivate(dir)); err != nil {
		return Files{}, err
	}
	files := Files{
		CA: filepath.Join(dir, "ca.pem"), Server: filepath.Join(dir, "server.pem"),
		Client: filepath.Join(dir, "client.pem"),
	}
	ca, err := keepAuthority(ctx, filepath.Join(dir, "ca-key.pem"), files.CA)
	if err != nil {
		return Files{}, err
	}
	hosts = append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	return files, errors.Join(keepServer(ctx, files.Server, ca, hosts), keepClient(ctx, files.Client, ca))
}

// keepAuthority returns the authority, whose certificate is also in a file without its
// key, so that it can be handed out.
func keepAuthority(ctx context.Context, file, public string) (*pair, error) {
	ca, err := readPrivate(ctx, file)
	if err != nil {
		return nil, err
	}
	shown, err := read(ctx, public)
	if err != nil {
		return nil, err
	}
	if ca == nil || ca.key == nil || ca.lapsesWithin(lifeOfLeaf) {
		if ca, err = renew(file, authorityTemplate(), nil); err != nil {
			return nil, err
		}
	}
	if shown == nil || !shown.certificate.Equal(ca.certificate) {
		err = write(public, ca.certificatePEM())
	}
	return ca, err
}

func keepServer(ctx context.Context, file string, ca *pair, hosts []string) error {
	server, err := readPrivate(ctx, file)
	if err != nil {
		return err
	}
	if server.goodUnder(ca) && server.covers(hosts) {
		return nil
	}
	_, err = renew(file, serverTemplate(append(server.hosts(), hosts...)), ca)
	return err
}

func keepClient(ctx context.Context, file string, ca *pair) error {
	client, err := readPrivate(ctx, file)
	if err != nil || client.goodUnder(ca) {
		return err
	}
	_, err = renew(file, clientTemplate(), ca)
	return err
}

// checkHosts returns which hosts no certificate can be for.
func checkHosts(hosts []string) error {
	var wrong []error
	name := regexp.MustCompile(`^[[:alnum:]]([\w-]*[[:alnum:]])?(\.[[:alnum:]]([\w-]*[[:alnum:]])?)*$`)
	for _, host := range hosts {
		if net.ParseIP(host) == nil && !name.MatchString(host) {
			wrong = append(wrong, fmt.Errorf("host %q is neither a name nor an IP address", host))
		}
	}
	return errors.Join(wrong...)
}
