package upstream_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
)

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
