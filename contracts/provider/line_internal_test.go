//go:build pact

package provider

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// halting answers at once, and never ends its body.
type halting struct{}

func (halting) RoundTrip(r *http.Request) (*http.Response, error) {
	body := &haltingBody{ctx: r.Context()}
	return &http.Response{StatusCode: http.StatusNotFound, Body: body, Request: r}, nil
}

type haltingBody struct{ ctx context.Context }

func (b *haltingBody) Close() error { return nil }

func (b *haltingBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func TestAnAnswerThatStopsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{transport: halting{}, timeout: 5 * time.Second}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://provider/v2/nodes", nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = l.RoundTrip(request)
		const want = "GET http://provider/v2/nodes was answered 404, but without all of the body: it took longer " +
			"than 5s"
		if err == nil || err.Error() != want || l.broken() == nil {
			t.Errorf("the error is %v, want %s", err, want)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// upgraded answers 101, with a connection whose reading never ends.
type upgraded struct{ closed chan struct{} }

func (u upgraded) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: u, Request: r}, nil
}

func (u upgraded) Read([]byte) (int, error) {
	<-u.closed
	return 0, io.EOF
}

func (u upgraded) Close() error {
	close(u.closed)
	return nil
}

func TestAConnectionThatIsNoMoreHTTPIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connection := upgraded{make(chan struct{})}
		l := &line{transport: connection, timeout: 5 * time.Second}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://provider/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.RoundTrip(request); err == nil || !strings.Contains(err.Error(), "answered 101") {
			t.Errorf("the error is %v", err)
		}
		<-connection.closed
	})
}
