package main

import (
	"net"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/mockserver"
)

// steering is what the command line states of the control API.
type steering struct {
	on    bool
	token string
	hosts []string
}

func (s *steering) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&s.on, "control", true, "serve the control API and the dashboard")
	flags.StringVar(&s.token, "control-token", "", "bearer `token` that calls of the control API must carry ["+
		envControlToken+"] (default none, they need no token)")
	flags.StringArrayVar(&s.hosts, "control-host", nil,
		"`name` under which the control API may be called, besides localhost and IP addresses; repeat for more")
}

// options returns the options of a mock that listens on addr. It may be called by the host
// name in addr.
func (s steering) options(addr string) []mockserver.Option {
	options := []mockserver.Option{
		mockserver.WithControlToken(s.token),
		mockserver.WithControlHosts(s.hosts...),
	}
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" && net.ParseIP(host) == nil {
		options = append(options, mockserver.WithControlHosts(host))
	}
	if !s.on {
		options = append(options, mockserver.WithoutControl())
	}
	return options
}

// open reports whether the control API is on and needs no token.
func (s steering) open() bool { return s.on && s.token == "" }
