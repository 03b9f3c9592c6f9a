package registration

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// What OpenTelemetry's conventions for HTTP clients say of a request and its answer.

// server is orchestratord as telemetry names it.
type server struct {
	base, host string
	port       int
}

// serverOf takes apart a base URL that has been checked.
func serverOf(base string) server {
	parsed, err := url.Parse(base)
	if err != nil {
		return server{}
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[parsed.Scheme]
	}
	return server{base: strings.TrimRight(base, "/"), host: parsed.Hostname(), port: port}
}

// span returns the name of the operation's spans.
func (op operation) span() string {
	switch op {
	case registering:
		return "orchestratord register"
	case deregistering:
		return "orchestratord deregister"
	default:
		return "orchestratord heartbeat"
	}
}

// attributes returns the attributes of an operation's requests.
func (op operation) attributes(s server) []attribute.KeyValue {
	method, _ := op.request()
	return append(make([]attribute.KeyValue, 0, 8),
		semconv.HTTPRequestMethodKey.String(method), semconv.ServerAddress(s.host), semconv.ServerPort(s.port))
}

func (op operation) url(s server, nodeID string) attribute.KeyValue {
	_, path := op.request()
	return semconv.URLFull(s.base + strings.Replace(path, "{id}", url.PathEscape(nodeID), 1))
}

// attributes returns the attributes of an outcome: a status if there was an answer, and an
// error type unless it was accepted.
func (o outcome) attributes() []attribute.KeyValue {
	attributes := []attribute.KeyValue{attribute.String("outcome", o.verdict.name())}
	if o.status != 0 {
		attributes = append(attributes, semconv.HTTPResponseStatusCode(o.status))
	}
	if wrong := o.errorType(); wrong != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(wrong))
	}
	return attributes
}

// errorType returns the error.type of an outcome, one of few values, empty on success.
func (o outcome) errorType() string {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		timeout     interface{ Timeout() bool }
		connection  *net.OpError
	)
	switch {
	case o.verdict == accepted:
		return ""
	case o.status != 0 && o.status/100 != 2:
		return strconv.Itoa(o.status)
	case o.status != 0:
		return o.verdict.name()
	case errors.As(o.err, &name):
		return "name_not_resolved"
	case errors.As(o.err, &certificate):
		return "server_certificate_invalid"
	case errors.As(o.err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(o.err, context.Canceled):
		return "canceled"
	case errors.As(o.err, &connection):
		return "connection_failed"
	default:
		return semconv.ErrorTypeOther.Value.AsString()
	}
}

// version is that of the module, as the program was built with it.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range append(info.Deps, &info.Main) {
		if strings.HasPrefix(instrumentation, module.Path+"/") {
			return module.Version
		}
	}
	return "(devel)" // built in a workspace, where Go names no version
})
