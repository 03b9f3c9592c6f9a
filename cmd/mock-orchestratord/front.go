package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/mockserver"
)

// front is what the command line says of an orchestratord to stand in front of.
type front struct {
	url               string
	host              string
	token             string
	tokenFile         string
	caFile            string
	certFile, keyFile string
	document          string // a file
}

func (f *front) flags(flags *pflag.FlagSet) {
	flags.Var(cli.BaseURL(&f.url), "upstream",
		"`URL` of a real orchestratord to stand in front of: it answers, and both sides are held to the document")
	flags.StringVar(&f.host, "upstream-host", "",
		"`name` for the Host header of requests to it (default what the node states)")
	flags.StringVar(&f.token, "upstream-token", "",
		"bearer `token` to ask it for the list of nodes with ["+cli.EnvToken+
			"] (default none; the tokens of nodes are never used)")
	flags.Var(cli.File(&f.tokenFile), "upstream-token-file", "`file` with that token, which is read for each list")
	flags.Var(cli.File(&f.caFile), "upstream-ca",
		"`file` with the certificates, PEM, of those that vouch for it (default the system's); it may be replaced "+
			"while the mock runs")
	flags.Var(cli.File(&f.certFile), "upstream-cert",
		"`file` with the certificate, PEM, to show it; it and its key may be replaced while the mock runs")
	flags.Var(cli.File(&f.keyFile), "upstream-key", "`file` with its key")
	flags.Var(cli.File(&f.document), "document",
		"`file` with the OpenAPI document, or an overlay on one, that both sides are held to (default that of the "+
			"dialect)")
}

// load returns the option that the flags state, if any. The error lists everything that is wrong
// with them.
func (f *front) load(ctx context.Context, flags *pflag.FlagSet, log *slog.Logger) ([]mockserver.Option, error) {
	if err := f.check(flags); err != nil || f.url == "" {
		return nil, err
	}
	transport, transportErr := f.transport(ctx, log)
	document, documentErr := readDocument(f.document)
	if err := errors.Join(transportErr, documentErr); err != nil {
		return nil, err
	}
	return []mockserver.Option{mockserver.WithUpstream(mockserver.Upstream{
		URL: f.url, Host: f.host, Token: f.listToken(), Transport: transport, Document: document,
	})}, nil
}

// check says which flags do not go together.
func (f *front) check(flags *pflag.FlagSet) error {
	var wrong []error
	for _, name := range []string{"token", "heartbeat-interval", "stale-check-interval", "cloud-profile"} {
		if f.url != "" && flags.Changed(name) {
			wrong = append(wrong, fmt.Errorf("--%s is for the orchestratord at --upstream to set", name))
		}
	}
	if f.url != "" && flags.Changed("validation") &&
		flags.Lookup("validation").Value.String() == string(mockserver.Strict) {
		wrong = append(wrong,
			errors.New("--validation is strict, but in front of an orchestratord nothing is refused: report or off"))
	}
	flags.Visit(func(flag *pflag.Flag) {
		if f.url == "" && (flag.Name == "document" || strings.HasPrefix(flag.Name, "upstream-")) {
			wrong = append(wrong, fmt.Errorf("--%s needs --upstream", flag.Name))
		}
	})
	if cli.IsEmptied(flags, "upstream") {
		return errors.New("--upstream is empty: must be the URL of an orchestratord")
	}
	if _, err := cli.TrimToken(f.token); err != nil {
		wrong = append(wrong, fmt.Errorf("--upstream-token: %w", err))
	}
	wrong = append(wrong, cli.Together(flags, "upstream-cert", "upstream-key"))
	if flags.Changed("upstream-token-file") && flags.Changed("upstream-token") {
		wrong = append(wrong, errors.New("--upstream-token and --upstream-token-file are both set: choose one"))
	}
	return errors.Join(wrong...)
}

// maxToken is how many bytes a file with a token may have.
const maxToken = 16 << 10

// listToken returns the source of the token to ask for the list of nodes with.
func (f *front) listToken() func(context.Context) (string, error) {
	if f.tokenFile == "" {
		return func(context.Context) (string, error) { return strings.TrimSpace(f.token), nil }
	}
	return regularfile.NewPatient(maxToken, func(texts [][]byte) (string, error) {
		return strings.TrimSpace(string(texts[0])), nil
	}, f.tokenFile).Read
}

// transport returns what requests are sent through. It reads the files for each connection.
func (f *front) transport(ctx context.Context, log *slog.Logger) (http.RoundTripper, error) {
	pair := watch("certificate and key for the upstream",
		fmt.Sprintf("--upstream-cert %s, --upstream-key %s", f.certFile, f.keyFile), log,
		parsePair, f.certFile, f.keyFile)
	pool := watch("certificates of those who vouch for the upstream", "--upstream-ca", log, poolOf(f.caFile), f.caFile)
	configure := func(ctx context.Context) (*tls.Config, error) {
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		var certificateErr, rootsErr error
		if f.certFile != "" {
			var certificate *tls.Certificate
			if certificate, certificateErr = pair.read(ctx); certificateErr == nil {
				config.Certificates = []tls.Certificate{*certificate}
			}
		}
		if f.caFile != "" {
			config.RootCAs, rootsErr = pool.read(ctx)
		}
		return config, errors.Join(certificateErr, rootsErr)
	}
	_, err := configure(ctx)
	return mockserver.NewUpstreamTransport(configure), err
}

// summarize lists the drift of both sides. It returns which of them drifted, as an error.
func (f *front) summarize(w io.Writer, mock *mockserver.Server) error {
	title := "drift from the contract"
	if f.url != "" {
		title = "drift of nodes from the contract"
	}
	var drift error
	if summarize(w, title, mock.Drift()) {
		drift = errDrift
	}
	if summarize(w, "drift of orchestratord from the contract", mock.UpstreamDrift()) {
		drift = errors.Join(drift, errUpstreamDrift)
	}
	return drift
}
