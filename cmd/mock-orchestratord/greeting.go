package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
)

// greet prints where the mock listens, which pages it has and, where certificates were made for
// it, how to use them. It does so at once, since whoever started it may read no more than the
// first line. The URL is its fourth word, for programs.
func greet(w io.Writer, addr net.Addr, tls secured, controlPath string) {
	scheme := "http"
	if tls.config != nil {
		scheme = "https"
	}
	fmt.Fprintf(w, "mock-orchestratord listens on %s://%s (%s)\n%s", scheme, addr, pages(controlPath),
		advice(scheme+"://"+dialable(addr), tls))
}

func pages(controlPath string) string {
	if controlPath == "" {
		return "API reference /docs"
	}
	return "page /, API reference /docs, control API " + controlPath
}

func advice(url string, tls secured) string {
	made := tls.made
	switch {
	case made == nil:
		return ""
	case tls.mutual():
		return fmt.Sprintf("  try it:  curl --cacert %q --cert %q %s/healthz\n", made.CA, made.Client, url) +
			fmt.Sprintf("  a node:  nodesim run --orchestratord-url %s --tls-ca %q --tls-cert %q --tls-key %[3]q\n",
				url, made.CA, made.Client) +
			fmt.Sprintf("  in Go:   registration.TLS{CAFile: %q, CertFile: %[2]q, KeyFile: %[2]q}\n", made.CA,
				made.Client)
	}
	return fmt.Sprintf("  try it:  curl --cacert %q %s/healthz\n", made.CA, url) +
		fmt.Sprintf("  a node:  nodesim run --orchestratord-url %s --tls-ca %q\n", url, made.CA) +
		fmt.Sprintf("  in Go:   registration.TLS{CAFile: %q}\n", made.CA)
}

// dialable returns an address at which this machine reaches one that listens at addr.
func dialable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
}

// warnIfPublic logs a warning if other machines can reach the mock, and it does not
// authenticate all callers (CLOUD-4001, CLOUD-4002). An orchestratord that it stands in front of
// asks nodes for a token itself.
func warnIfPublic(log *slog.Logger, addr net.Addr, s settings, mutual bool) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() || mutual {
		return
	}
	var can, flags []string
	if len(s.tokens) == 0 && s.front.url == "" {
		can, flags = append(can, "register, list and remove nodes"), append(flags, "--token")
	}
	if s.steering.open() {
		can, flags = append(can, "drive the mock"), append(flags, "--control-token")
	}
	if can != nil {
		log.Warn(
			fmt.Sprintf("whoever reaches this address can %s: ask for a token with %s, or listen on 127.0.0.1 alone",
				strings.Join(can, " and "), strings.Join(flags, " and ")), "addr", addr.String())
	}
}
