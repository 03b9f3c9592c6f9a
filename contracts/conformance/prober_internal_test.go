package conformance

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/contracts/internal/memnet"
)

// TestNamesOfHeadersInSmallLetters shows that they come so to an orchestratord, and in the command that
// repeats the call. Servers of net/http do not see the difference.
func TestNamesOfHeadersInSmallLetters(t *testing.T) {
	doc := mustRead(t)
	client, server := net.Pipe()
	p, err := newProber(Options{
		URL: "http://orchestratord", Token: "token-of-a-test",
		Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	head := make(chan string, 1)
	go func() {
		defer server.Close()
		text, lines := "", bufio.NewReader(server)
		for err := error(nil); err == nil && !strings.HasSuffix(text, "\r\n\r\n"); {
			var line string
			line, err = lines.ReadString('\n')
			text += line
		}
		head <- text
		_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	}()
	c := call{op: doc.operation(opList), line: lower, header: http.Header{correlationHeader: {"Id-1"}}}
	if _, err := p.send(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{<-head, p.curl(c)} {
		if !strings.Contains(text, "authorization: Bearer ") || !strings.Contains(text, "x-correlation-id: Id-1") {
			t.Errorf("not in small letters: %s", text)
		}
	}
}

// TestCallsGoByTheProxy holds that no kind of connection passes a proxy by, whatever the proxy itself speaks.
func TestCallsGoByTheProxy(t *testing.T) {
	doc := mustRead(t)
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{
		"http": httptest.NewServer, "https": httptest.NewTLSServer,
	} {
		t.Run(scheme, func(t *testing.T) {
			var asked []string
			server := start(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.RequestURI)
			}))
			defer server.Close()
			trust := server.Client().Transport.(*http.Transport).TLSClientConfig
			p, err := newProber(Options{URL: memnet.URL, TLS: trust})
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			at, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			p.kept.Proxy, p.fresh.Proxy = http.ProxyURL(at), http.ProxyURL(at)
			lines := []connection{kept, fresh, chunked, oldHTTP, lower, duplex}
			for _, line := range lines {
				if _, err := p.send(t.Context(), call{op: doc.operation(opList), line: line}); err != nil {
					t.Errorf("%q: %v", line, err)
				}
			}
			want := slices.Repeat([]string{memnet.URL + doc.operation(opList).path}, len(lines))
			if !slices.Equal(asked, want) {
				t.Errorf("the proxy was asked for %q, want %q", asked, want)
			}
		})
	}
}

// TestHostNamesInOtherAlphabets go out as the names that DNS has for them.
func TestHostNamesInOtherAlphabets(t *testing.T) {
	doc := mustRead(t)
	for url, want := range map[string]string{
		"http://b\u00fccher.example":  "xn--bcher-kva.example:80",
		"https://b\u00fccher.example": "xn--bcher-kva.example:443",
	} {
		var dialed string
		p, err := newProber(Options{URL: url, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = address
			return nil, io.EOF
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.send(t.Context(), call{op: doc.operation(opList)}); err == nil || dialed != want {
			t.Errorf("%s: %q was dialed, want %q", url, dialed, want)
		}
	}
}
