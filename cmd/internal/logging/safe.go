package logging

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// safe hands on records whose text is safe to show. Durations become text, since
// slog's JSON has them as numbers without a unit.
type safe struct{ next slog.Handler }

func (s safe) Enabled(ctx context.Context, level slog.Level) bool {
	return s.next.Enabled(ctx, level)
}

func (s safe) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, foreign.Line(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(cleanAttr(a))
		return true
	})
	return s.next.Handle(ctx, clean)
}

func (s safe) WithAttrs(attrs []slog.Attr) slog.Handler {
	return safe{s.next.WithAttrs(cleanAttrs(attrs))}
}

func (s safe) WithGroup(name string) slog.Handler {
	return safe{s.next.WithGroup(foreign.Line(name))}
}

func cleanAttrs(attrs []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = cleanAttr(a)
	}
	return clean
}

// cleanAttr leaves the empty attribute empty, since handlers drop it.
func cleanAttr(a slog.Attr) slog.Attr {
	if a.Equal(slog.Attr{}) {
		return a
	}
	return slog.Attr{Key: foreign.Line(a.Key), Value: cleanValue(a.Value.Resolve())}
}

func cleanValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindGroup:
		return slog.GroupValue(cleanAttrs(v.Group())...)
	case slog.KindString, slog.KindDuration:
		return slog.StringValue(foreign.Line(v.String()))
	case slog.KindAny:
		return cleanAny(v.Any())
	}
	return v
}

// cleanAny keeps nothing and a list of texts what they are, for JSON; all else becomes
// text.
func cleanAny(v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case []string:
		clean := make([]string, len(v))
		for i, each := range v {
			clean[i] = foreign.Line(each)
		}
		return slog.AnyValue(clean)
	}
	return slog.StringValue(foreign.Line(fmt.Sprintf("%+v", v)))
}
