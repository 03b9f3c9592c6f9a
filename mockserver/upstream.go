package mockserver

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
)

// Upstream is a real orchestratord that a server stands in front of.
type Upstream struct {
	// URL is where it is, such as http://127.0.0.1:8081, perhaps with a path that goes before
	// those of all requests.
	URL string
	// Host is the name that requests state in their Host header. With "" they state what the
	// node states, which is the name of the server.
	Host string
	// Token returns the bearer token with which the server asks for the list of nodes. Without
	// it, or with an empty one, the server sends none. The token of a node is never used.
	Token func(context.Context) (string, error)
	// Document is the OpenAPI document, as YAML or JSON, that both sides are held to in place of
	// that of the dialect. It has the operations of the document of this module, by path and
	// method, perhaps under names of its own.
	Document []byte
	// Transport sends the requests. Without it, they are sent over HTTP/1.1, each over a
	// connection that is kept.
	Transport http.RoundTripper
	// Recorded says that the answers of Transport are recorded ones: the server asks for no list of
	// nodes. JudgeList has it look at one.
	Recorded bool
}

// WithUpstream has a real orchestratord answer all requests but those for the pages and the
// control API of the server. Requests and answers pass as they are. They are held to the document
// of the dialect, which Drift and UpstreamDrift list. Nodes are what the traffic says of them.
//
// Tokens are for orchestratord to check, and the cloud profile, the heartbeat interval and the
// clock are its own. Options and control API do not change them.
func WithUpstream(upstream Upstream) Option {
	return func(c *config) { c.upstreamOption = &upstream }
}

// load refuses what is no URL, and a URL that the control API could not show.
func (u *Upstream) load() (*upstream.Upstream, error) {
	where, err := upstream.Parse(u.URL)
	if err == nil {
		for _, wrong := range spec.Control().Check("Upstream", control.Upstream{URL: where.String()}) {
			err = fmt.Errorf("the URL of the upstream %s", wrong.Detail)
		}
	}
	return upstream.New(upstream.Config{URL: where, Host: u.Host, Token: u.Token, Transport: u.Transport}), err
}

// UpstreamDrift returns how the answers of the orchestratord of WithUpstream departed from the
// document so far.
func (s *Server) UpstreamDrift() drift.Report {
	return s.answers.Report()
}

// JudgeList compares a recorded list of nodes with what the traffic says of them, as if the server had
// asked. The list was asked for at asked, and has been answered by now. A list that cannot be read says nothing.
func (s *Server) JudgeList(list io.Reader, asked time.Time) {
	if s.watch != nil {
		s.watch.CompareList(list, asked)
	}
}

// NewUpstreamTransport returns a transport for Upstream with a TLS configuration, which it asks
// for when it makes a connection. It changes nothing about requests and answers.
func NewUpstreamTransport(configure func(context.Context) (*tls.Config, error)) http.RoundTripper {
	return upstream.NewTransport(configure)
}
