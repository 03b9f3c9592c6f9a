package mockserver

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard keeps stray web pages from driving the mock. A developer's browser reaches the
// mock from whichever page is open in it, and would do for that page what the page may
// not do itself.
type guard struct {
	origins *http.CrossOriginProtection // which trusts pages of the origins that are shared with
	shared  []string                    // those origins, or anyOrigin
	hosts   []string                    // names of the mock besides those of the loopback interface
	anyHost bool                        // since a page that rebinds a name has no control token
}

// newGuard takes for granted that the origins have been checked.
func newGuard(c config) guard {
	g := guard{origins: http.NewCrossOriginProtection(), shared: c.origins, hosts: c.controlHosts, anyHost: c.controlToken != nil}
	for _, origin := range c.origins {
		if origin != anyOrigin {
			_ = g.origins.AddTrustedOrigin(origin)
		}
	}
	return g
}

// guarded returns a handler that first takes the step, and then answers what it refuses with
// the problem.
func (s *Server) guarded(check step, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := check(exchangeOf(r)); err != nil {
			s.writeProblem(w, r, err)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// check refuses what a page of another origin may have sent.
func (g guard) check(x *exchange) error {
	if err := g.checkHost(x.request); err != nil && !g.anyHost {
		return err
	}
	return g.checkPage(x.request)
}

func (g guard) checkHost(r *http.Request) error {
	if g.isHost(r.Host) {
		return nil
	}
	return newProblem(codeForbidden, "%q is no name of this mock: use its address or localhost, or start it with this control host",
		quote(r, r.Host))
}

func (g guard) checkPage(r *http.Request) error {
	if opensPage(r) {
		return nil
	}
	write := r.WithContext(r.Context())
	write.Method = http.MethodPost // Go lets all reads pass, but what the mock knows of nodes is no page's business
	if g.origins.Check(write) == nil {
		return nil
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		return newProblem(codeForbidden, "requests from the origin %q are not allowed: use the mock's own pages, or a program",
			quote(r, origin))
	}
	return newProblem(codeForbidden, "requests from other sites are not allowed: use the mock's own pages, or a program")
}

// isHost reports whether a Host header names the mock. Another name may belong to a site that
// has rebound it to the mock (DNS rebinding): the browser then takes the site's pages for the
// mock's own. An address cannot be rebound.
func (g guard) isHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	name := strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(g.hosts, name)
}

// opensPage reports whether a person follows a link to the mock, wherever that was. The
// page that it was on does not get to see where it leads.
func opensPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Origin") == "" &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}
