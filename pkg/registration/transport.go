package registration

import (
	"crypto/tls"
	"net/http"
	"time"
)

// newTransport returns a transport that keeps one connection open between
// heartbeats, and notices when a kept one is dead: a request that gets no answer
// in time closes its HTTP/1 connection, and pings find a dead HTTP/2 one.
func newTransport(tls *tls.Config) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 1
	transport.MaxIdleConnsPerHost = 1
	transport.IdleConnTimeout = maxInterval + DefaultRequestTimeout
	transport.TLSClientConfig = tls
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: DefaultRequestTimeout}
	return transport
}
