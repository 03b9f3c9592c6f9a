package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// short writes a line for each record, in columns: the time, the node, what happened to it, and
// what else there is to say. It leaves out the ids by which programs find things again.
type short struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
}

func newShort(w io.Writer, level slog.Level) short {
	return short{mu: new(sync.Mutex), w: w, level: level}
}

func (s short) Enabled(_ context.Context, level slog.Level) bool { return level >= s.level }

func (s short) WithAttrs(attrs []slog.Attr) slog.Handler {
	s.attrs = append(slices.Clip(s.attrs), attrs...)
	return s
}

// WithGroup keeps the names of attributes as they are: nobody looks them up.
func (s short) WithGroup(string) slog.Handler { return s }

func (s short) Handle(_ context.Context, r slog.Record) error {
	var node string
	var rest []string
	add := func(a slog.Attr) bool {
		switch a.Key {
		case "node_id":
			node = a.Value.String()
		case "correlation_id", "machine_id", "":
		case "pools", "action":
			rest = append(rest, a.Value.String())
		default:
			rest = append(rest, a.Key+"="+a.Value.String())
		}
		return true
	}
	for _, a := range s.attrs {
		add(a)
	}
	r.Attrs(add)
	message := r.Message
	if r.Level >= slog.LevelWarn {
		message = r.Level.String() + " " + message
	}
	line := fmt.Sprintf("%s  %-12s  %-16s  %s", r.Time.Format("15:04:05"), node, message, strings.Join(rest, " "))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := fmt.Fprintln(s.w, strings.TrimRight(line, " "))
	return err
}
