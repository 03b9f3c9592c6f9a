package exchange

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Guard keeps stray web pages from driving the mock. A developer's browser reaches the mock
// from whichever page is open in it. It would do for that page what the page may not do
// itself.
type Guard struct {
	origins *http.CrossOriginProtection // which trusts pages of the origins that are shared with
	shared  []string                    // those origins, or anyOrigin
	hosts   []string                    // names of the mock besides those of the loopback interface
	anyHost bool                        // whether any host will do: a page that rebinds one lacks the control token
}

// anyOrigin stands for all origins.
const anyOrigin = "*"

// NewGuard returns a guard that trusts pages of some origins, and calls under some names or
// under any. It takes for granted that the origins have been checked.
func NewGuard(origins, hosts []string, anyHost bool) Guard {
	g := Guard{origins: http.NewCrossOriginProtection(), shared: origins, hosts: hosts, anyHost: anyHost}
	for _, origin := range origins {
		_ = g.origins.AddTrustedOrigin(origin) // which refuses anyOrigin
	}
	return g
}

// Page returns a page that a check guards. What the check refuses is answered with the problem.
func Page(check Step, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := Of(r)
		if err := check(x); err != nil {
			x.answerError(w, err)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// Check refuses what a page of another origin may have sent.
func (g Guard) Check(x *Exchange) error {
	if err := g.checkHost(x); err != nil && !g.anyHost {
		return err
	}
	return g.checkPage(x)
}

func (g Guard) checkHost(x *Exchange) error {
	if g.isHost(x.Request.Host) {
		return nil
	}
	return NewProblem(codeForbidden,
		"%q is no name of this mock: use its address or localhost, or start it with this control host",
		x.Quote(x.Request.Host))
}

func (g Guard) checkPage(x *Exchange) error {
	r := x.Request
	if opensPage(r) {
		return nil
	}
	write := r.WithContext(r.Context())
	write.Method = http.MethodPost // Go lets all reads pass, but what the mock knows of nodes is no page's business
	if g.origins.Check(write) == nil {
		return nil
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		return NewProblem(codeForbidden,
			"requests from the origin %q are not allowed: use the mock's own pages, or a program",
			x.Quote(origin))
	}
	return NewProblem(codeForbidden,
		"requests from other sites are not allowed: use the mock's own pages, or a program")
}

// isHost reports whether a Host header names the mock. Another name may belong to a site that
// has rebound it to the mock (DNS rebinding). The browser then takes the site's pages for the
// mock's own. An address cannot be rebound.
func (g Guard) isHost(host string) bool {
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
	return r.Method == http.MethodGet && r.Header.Get("Origin") == "" &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// CheckHost returns what is wrong with a name of the server, if anything.
func CheckHost(name string) error {
	if u, err := url.Parse("http://" + name); err != nil || u.Host != name || u.Port() != "" {
		return fmt.Errorf("control host %q: must be a host name without a port, such as mock.example.com", name)
	}
	return nil
}

// CheckOrigin returns what is wrong with an origin, if anything.
func CheckOrigin(origin string) error {
	if origin == anyOrigin {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin ||
		strings.Contains(origin, "*") {
		return fmt.Errorf("origin %q: must be scheme://host or scheme://host:port, with nothing behind it, "+
			"such as http://localhost:5173", origin)
	}
	return nil
}
