package registration

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// trust is a transport whose authorities are in a file that may be replaced. A TLS
// configuration must not change once it is in use, so a changed file gets a new transport.
type trust struct {
	file    string
	log     *slog.Logger
	current atomic.Pointer[http.Transport]
	former  atomic.Pointer[http.Transport] // the one before, with requests still in flight

	looking sync.Mutex
	seen    stamp // of the file when it was read, or could not be
}

// stamp shows whether a file has changed. Fault is why it could not be looked at.
type stamp struct {
	info  os.FileInfo
	fault string
}

func stampOf(file string) stamp {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{fault: err.Error()}
	}
	return stamp{info: info}
}

func (s stamp) equals(other stamp) bool {
	if s.info == nil || other.info == nil {
		return s.fault == other.fault
	}
	return os.SameFile(s.info, other.info) && s.info.ModTime().Equal(other.info.ModTime()) &&
		s.info.Size() == other.info.Size()
}

func (t *trust) RoundTrip(r *http.Request) (*http.Response, error) {
	looked := make(chan struct{})
	go func() { defer close(looked); t.look() }()
	select {
	case <-looked:
	case <-time.After(lookTimeout):
	case <-r.Context().Done():
	}
	return t.current.Load().RoundTrip(r)
}

// lookTimeout is how long a request waits for the look at a file. On a file system that
// hangs it goes on with what was in the file before.
const lookTimeout = time.Second

// CloseIdleConnections closes the connections that no request uses.
func (t *trust) CloseIdleConnections() {
	t.current.Load().CloseIdleConnections()
	if former := t.former.Load(); former != nil {
		former.CloseIdleConnections()
	}
}

// look reads the file if it has changed. One request at a time looks: on a file system
// that hangs, the others go on as before.
func (t *trust) look() {
	if !t.looking.TryLock() {
		return
	}
	defer t.looking.Unlock()
	now := stampOf(t.file)
	if now.equals(t.seen) {
		return
	}
	t.seen = now
	pool, err := readPool(t.file)
	if err != nil {
		t.log.Warn("the TLS CA file cannot be read again: the authorities are those from before", "error", err)
		return
	}
	before := t.current.Load()
	after := before.Clone()
	after.TLSClientConfig.RootCAs = pool
	t.CloseIdleConnections()
	t.former.Store(before)
	t.current.Store(after)
	t.log.Info("the TLS CA file has changed: new connections trust the authorities in it", "file", t.file)
}

func readPool(file string) (*x509.CertPool, error) {
	certificates, err := regularfile.Read(context.Background(), file, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("TLS CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("TLS CA file: %s holds no certificate", file)
	}
	return pool, nil
}
