package exchange

import (
	"log/slog"

	"github.com/llama-orch/node-registration/mockserver/internal/masking"
)

// LogInternalError logs an error that is nobody else's.
func (x *Exchange) LogInternalError(err error) {
	x.logRequest(slog.LevelError, "internal error", slog.Any("error", err))
}

// LogSlow logs that the body of the request did not arrive in time, whereupon the connection is cut.
// The HTTP server limits that time, and for a large body the API of nodes does.
func (x *Exchange) LogSlow() {
	x.logRequest(slog.LevelWarn, "request body too slow: connection cut", slog.Int("bytes_arrived", len(x.RequestBody)))
}

// logRefusal logs that the request was refused, and why.
func (x *Exchange) logRefusal(p *Problem) {
	status, _ := p.kind()
	detail := p.detail
	if p.repeats { // fixed words such as "a token: send it" would look like a credential
		detail = masking.Text(detail, x.Request.Header, x.Request.URL.RawQuery)
	}
	x.logRequest(slog.LevelWarn, "request refused",
		slog.Int("status", status),
		slog.String("code", string(p.code)),
		slog.String("detail", detail))
}

// logRequest logs attributes, and which request it was, without its secrets.
func (x *Exchange) logRequest(level slog.Level, message string, attrs ...slog.Attr) {
	x.log.LogAttrs(x.Request.Context(), level, message, append(attrs,
		slog.String("method", x.Quote(x.Request.Method)),
		slog.String("path", x.Quote(x.Request.URL.Path)),
		x.CorrelationAttr())...)
}

// CorrelationAttr is how log lines name the request (CLOUD-7020).
func (x *Exchange) CorrelationAttr() slog.Attr { return slog.String("correlation_id", x.CorrelationID) }
