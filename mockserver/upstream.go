package mockserver

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/llama-orch/node-registration/mockserver/drift"
	"github.com/llama-orch/node-registration/mockserver/internal/settings"
	"github.com/llama-orch/node-registration/mockserver/internal/upstream"
	"github.com/llama-orch/node-registration/mockserver/registry"
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
	// that of the dialect. It has the operations of the document of this module, perhaps with
	// the differences of an overlay.
	Document []byte
	// Transport sends the requests. Without it, they are sent over HTTP/1.1, each over a
	// connection that is kept.
	Transport http.RoundTripper
}

// WithUpstream has a real orchestratord answer all requests but those for the pages and the
// control API of the server. Requests and answers pass as they are. They are held to the document
// of the dialect, which Drift and UpstreamDrift list. Nodes are what the traffic says of them.
//
// Tokens are for orchestratord to check, and the cloud profile, the heartbeat interval and the
// clock are its own: options and control API do not change them.
func WithUpstream(upstream Upstream) Option {
	return func(c *config) { c.upstream = &upstream }
}

// policy returns what is made of what nodes send. In front of another orchestratord, a node is Online
// that sends heartbeats, whatever the dialect: what that one makes of them, its list says.
func (c config) policy(s *settings.Settings) registry.Policy {
	if c.upstream != nil {
		return registry.Document{}
	}
	return s.Policy()
}

// load returns what the server works with.
func (u *Upstream) load() (*upstream.Upstream, error) {
	where, err := url.Parse(u.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("upstream: %w", err)
	case where.User != nil: // which is not repeated
		return nil, fmt.Errorf("upstream: the URL holds credentials: give a token in place of them")
	case where.Scheme != "http" && where.Scheme != "https", where.Host == "", where.RawQuery != "",
		where.Fragment != "":
		return nil, fmt.Errorf("upstream %q: must be an http or https URL, such as http://127.0.0.1:8081", u.URL)
	}
	where.Path, where.RawPath = trimSlash(where.Path), trimSlash(where.RawPath)
	return upstream.New(upstream.Config{URL: where, Host: u.Host, Token: u.Token, Transport: u.Transport}), nil
}

// UpstreamDrift returns how the answers of the orchestratord of WithUpstream departed from the
// document so far.
func (s *Server) UpstreamDrift() drift.Report {
	return s.answers.Report()
}

func trimSlash(path string) string { return strings.TrimRight(path, "/") }

// NewUpstreamTransport returns a transport for Upstream with a TLS configuration, which it asks
// for when it makes a connection. It changes nothing about requests and answers.
func NewUpstreamTransport(configure func(context.Context) (*tls.Config, error)) http.RoundTripper {
	return upstream.NewTransport(configure)
}
