package upstream_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
)

// TestASlowOrchestratord answers after an hour. How long is too long is for the client to say.
func TestASlowOrchestratord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		transport := upstream.NewTransport(nil)
		defer transport.CloseIdleConnections()
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return here, nil }
		go func() {
			_, _ = http.ReadRequest(bufio.NewReader(there))
			time.Sleep(time.Hour)
			_, _ = io.WriteString(there, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
		}()
		request := httptest.NewRequest(http.MethodDelete, "http://orchestratord/v2/nodes/gpu-node-1", nil)
		answer, err := transport.RoundTrip(request)
		if err != nil || answer.StatusCode != http.StatusNoContent {
			t.Errorf("answer %v, error %v", answer, err)
		}
	})
}

// TestAlertsOfCertificates has alerts that refuse a certificate, and others: those may come from an
// orchestratord that has seen the request.
func TestAlertsOfCertificates(t *testing.T) {
	for alert, reached := range map[tls.AlertError]bool{
		42: false, 44: false, 45: false, 46: false, 48: false, 116: false, 0: true, 20: true, 80: true, 90: true,
	} {
		err := fmt.Errorf("request: %w", &net.OpError{Op: "remote error", Err: alert})
		if got := (&upstream.Passage{Err: err}).Reached(); got != reached {
			t.Errorf("%v: reached is %t", alert, got)
		}
		if !(&upstream.Passage{Err: err, Header: http.Header{}}).Reached() {
			t.Errorf("%v: not reached, in spite of an answer", alert)
		}
	}
}
