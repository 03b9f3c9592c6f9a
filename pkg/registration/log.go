package registration

import (
	"context"
	"fmt"
	"log/slog"
)

// unhurried puts the caller's log handler behind a queue: a log that blocks, such as a full
// pipe, must not hold up a heartbeat.
type unhurried struct {
	slog.Handler
	lines *queue[line]
}

// line is a log line on its way.
type line struct {
	to      slog.Handler
	record  slog.Record
	dropped int // lines lost before this one
}

func newUnhurried(handler slog.Handler) unhurried {
	return unhurried{handler, &queue[line]{deliver: writer()}}
}

// Handle implements slog.Handler.
func (u unhurried) Handle(_ context.Context, record slog.Record) error {
	u.lines.put(func(dropped int) line { return line{u.Handler, record.Clone(), dropped} })
	return nil
}

// WithAttrs implements slog.Handler.
func (u unhurried) WithAttrs(attrs []slog.Attr) slog.Handler {
	return unhurried{u.Handler.WithAttrs(attrs), u.lines}
}

// WithGroup implements slog.Handler.
func (u unhurried) WithGroup(name string) slog.Handler {
	return unhurried{u.Handler.WithGroup(name), u.lines}
}

// writer returns a function that writes a line. The first line that is taken after a loss
// has the count of those lost as an attribute.
func writer() func(line) error {
	noted := 0
	return func(l line) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("the log handler panicked: %v", r)
			}
		}()
		if l.dropped > noted {
			l.record.AddAttrs(slog.Int("lines_lost", l.dropped-noted))
		}
		if err = l.to.Handle(context.Background(), l.record); err == nil {
			noted = l.dropped
		}
		return err
	}
}
