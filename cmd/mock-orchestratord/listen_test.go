package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestWhyNobodyListens reads what there is to do about addresses that the system refuses, and about an empty one.
func TestWhyNobodyListens(t *testing.T) {
	refuses(t, "--addr is empty: must be host:port", "--addr", "")
	for refusal, want := range map[syscall.Errno]string{
		syscall.EADDRNOTAVAIL: "this machine has no such address", syscall.EACCES: "take a port from 1024 on",
	} {
		if err := explainListen(os.NewSyscallError("bind", refusal)); !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", refusal, err, want)
		}
	}
}

// TestDialable has addresses at which this machine is reached by name, and one at which it is not.
func TestDialable(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:80": "localhost:80", "[::]:80": "localhost:80", "192.0.2.1:80": "192.0.2.1:80",
	} {
		if got := dialable(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestPublicAddress(t *testing.T) {
	open := settings{steering: steering{on: true}}
	tokens := settings{tokens: []string{"secret"}, steering: steering{on: true, token: "other"}}
	inFront := settings{front: front{url: "http://192.168.1.2:8080"}} // of what asks nodes for a token itself
	drivable := settings{front: inFront.front, steering: steering{on: true}}
	for _, test := range []struct {
		addr     string
		settings settings
		mutual   bool
		warning  string // the flags that it names
	}{
		{"127.0.0.1:8080", open, false, ""},
		{"127.8.8.8:8080", open, false, ""},
		{"[::1]:8080", open, false, ""},
		{"[::ffff:127.0.0.1]:8080", open, false, ""},
		{"0.0.0.0:8080", open, false, "--token and --control-token,"},
		{"[::]:8080", open, false, "--token and --control-token,"},
		{"192.168.1.1:8080", open, false, "--token and --control-token,"},
		{"[fe80::1]:8080", open, false, "--token and --control-token,"},
		{"0.0.0.0:8080", settings{}, false, "with --token,"},
		{"0.0.0.0:8080", settings{tokens: tokens.tokens}, false, ""},
		{"0.0.0.0:8080", settings{tokens: tokens.tokens, steering: steering{on: true}}, false, "with --control-token,"},
		{"0.0.0.0:8080", tokens, false, ""},
		{"0.0.0.0:8080", open, true, ""},
		{"0.0.0.0:8080", inFront, false, ""},
		{"0.0.0.0:8080", drivable, false, "drive the mock: ask for a token with --control-token,"},
	} {
		var log bytes.Buffer
		warnIfPublic(slog.New(slog.NewTextHandler(&log, nil)),
			net.TCPAddrFromAddrPort(netip.MustParseAddrPort(test.addr)), test.settings, test.mutual)
		warned := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), test.addr) &&
			strings.Contains(log.String(), test.warning)
		if warned != (test.warning != "") || !warned && log.Len() > 0 {
			t.Errorf("%+v: it logged %s", test, &log)
		}
	}
}
