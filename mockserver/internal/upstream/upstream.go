// Package upstream carries requests to a real orchestratord, and its answers back, as they are. It
// keeps the beginning of what passes, and notices when orchestratord's list of nodes lacks one
// whose heartbeats it accepts.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/internal/weburl"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
)

// Config is what an upstream is made of.
type Config struct {
	URL       *url.URL                              // of orchestratord, perhaps with a path that goes before all others
	Host      string                                // to name in requests; "" for the name that the client used
	Token     func(context.Context) (string, error) // for the list of nodes; nil for none
	Transport http.RoundTripper                     // nil for NewTransport's
}

// Upstream is a real orchestratord.
type Upstream struct {
	Config
	buffers buffers
}

// Parse reads the URL of an orchestratord.
func Parse(text string) (*url.URL, error) {
	where, err := weburl.ParseBase(text)
	if err != nil {
		return nil, fmt.Errorf("the URL of the upstream %w", err)
	}
	where.Path, where.RawPath = strings.TrimRight(where.Path, "/"), strings.TrimRight(where.RawPath, "/")
	return where, nil
}

// New returns an upstream.
func New(config Config) *Upstream {
	if config.Transport == nil {
		config.Transport = NewTransport(nil)
	}
	return &Upstream{Config: config}
}

// Carry sends the request of an exchange to orchestratord, and the answer to the client as it
// comes. It notes in the exchange the status of the answer, and what Kept says of both bodies. It
// calls head before the head of the answer is sent, and ended once. The latter comes before the
// end of the answer goes on, or when it is clear that there will be none.
func (u *Upstream) Carry(x *exchange.Exchange, head func(), ended func(*Passage)) {
	p := &Passage{x: x, ended: ended, upstream: u}
	u.carry(p, &streamed{x.Client, p, head})
}

// CarryLong is Carry for an answer that is too long to be kept whole, and Fetch for a shorter one.
func (u *Upstream) CarryLong(x *exchange.Exchange, head func(), ended func(*Passage)) {
	p := &Passage{x: x, ended: ended, upstream: u}
	w := &patient{streamed: streamed{x.Client, p, head}}
	if u.carry(p, w); !w.sending {
		x.Header().Del("Content-Length")
	}
}

// Fetch is Carry, but keeps the answer from the client: it is left in the exchange, as much of it
// as Kept says.
func (u *Upstream) Fetch(x *exchange.Exchange, ended func(*Passage)) {
	u.carry(&Passage{x: x, ended: ended, upstream: u}, held{x})
	x.Header().Del("Content-Length") // which what is left need not have
}

func (u *Upstream) carry(p *Passage, w http.ResponseWriter) {
	x := p.x
	_ = http.NewResponseController(x.Client).SetReadDeadline(time.Time{}) // both sides have their own
	p.request = &requestBody{ReadCloser: x.Request.Body, length: x.Request.ContentLength, text: x.RequestBody[:0]}
	r := *x.Request
	r.Body = p.request
	defer p.end(errGone)
	proxy := httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      u.Transport,
		ModifyResponse: p.begin,
		ErrorHandler:   p.fail,
		BufferPool:     &u.buffers,
		ErrorLog:       silent,
	}
	proxy.ServeHTTP(w, &r)
	p.dropRest()
	if p.chunked { // and it may have been empty, for which the HTTP server would state a length
		_ = http.NewResponseController(w).Flush()
	}
}

// silent is where the proxy logs. What it says, the passage says as well.
var silent = log.New(io.Discard, "", 0)

// errGone is the reason why an answer is not sent to its end.
var errGone = errors.New("the client has gone")

// rewrite addresses a request to orchestratord, and undoes what the proxy has changed of it.
func (p *Passage) rewrite(r *httputil.ProxyRequest) {
	out, in := r.Out, r.In
	to := p.upstream
	out.URL.Scheme, out.URL.Host = to.URL.Scheme, to.URL.Host
	if base := to.URL; base.Path != "" {
		out.URL.Path, out.URL.RawPath = base.Path+in.URL.Path, base.EscapedPath()+in.URL.EscapedPath()
	}
	out.URL.RawQuery = in.URL.RawQuery
	if to.Host != "" {
		out.Host = to.Host
	}
	out.Trailer = in.Trailer // whose values come with the end of the body
	for _, name := range forwarding {
		if values, there := in.Header[name]; there {
			out.Header[name] = values
		}
	}
}

// forwarding are the headers that the proxy takes away from requests.
var forwarding = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

// buffers are what answers are copied through.
type buffers struct{ pool sync.Pool }

// Get returns a buffer.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 16<<10)
}

// Put takes a buffer back.
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

// Where returns the URL of orchestratord, without credentials.
func (u *Upstream) Where() string { return u.URL.Redacted() }
