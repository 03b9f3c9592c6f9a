package registration

import (
	"net"
	"net/http"
	"time"
)

// NewTransport returns a transport for a client that the nodes of one program share; TLS
// has a method that completes it. It keeps up to 256 idle connections per host open, which
// MaxIdleConnsPerHost changes. It heeds HTTP_PROXY, HTTPS_PROXY and NO_PROXY. It does not
// derive from http.DefaultTransport, which a program may have replaced. It takes no answer
// with more than 64 KiB of headers.
//
// It notices dead connections. A request that gets no answer in time closes its HTTP/1
// connection. Pings find a dead HTTP/2 one within half of the nodes' NodeTimeout, zero for
// DefaultNodeTimeout.
func NewTransport(nodeTimeout time.Duration) *http.Transport {
	setDefault(&nodeTimeout, DefaultNodeTimeout)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: nodeTimeout / 3, PingTimeout: nodeTimeout / 6},
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     longestConnection + DefaultRequestTimeout,

		MaxResponseHeaderBytes: maxAnswer,
	}
}
