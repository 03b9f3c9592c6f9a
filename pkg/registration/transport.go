package registration

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport returns a transport that keeps one connection open between
// heartbeats, and notices when a kept one is dead: a request that gets no answer
// in time closes its HTTP/1 connection, and pings find a dead HTTP/2 one. It owes
// nothing to http.DefaultTransport, which a program may have replaced.
func newTransport(tls *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		TLSClientConfig:     tls,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: DefaultRequestTimeout},
		MaxIdleConns:        1,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     maxInterval + DefaultRequestTimeout,
	}
}
