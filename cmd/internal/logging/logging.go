// Package logging makes the loggers of this repository's programs.
package logging

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
)

// New returns a logger that writes to w what is at least as grave as level, which
// is debug, info, warn or error. The format is text, for people; short, for people who
// watch, in columns and without the ids that programs need; or json, for machines. Text is
// coloured when w is a terminal that has colours and NO_COLOR is not set. Whatever is
// logged, wherever it comes from, is safe to show; durations are text. The error
// lists everything that is wrong with the arguments.
func New(w io.Writer, level, format string) (*slog.Logger, error) {
	least, levelErr := parseLevel(level)
	handler, formatErr := newHandler(w, least, format, isTerminal(w) && hasColours())
	if err := errors.Join(levelErr, formatErr); err != nil {
		return nil, err
	}
	return slog.New(handler), nil
}

// Flags defines the flags --log-level and --log-format, whose values go to New.
func Flags(command *cobra.Command, level, format *string) {
	cli.Under(command.Flags(), "Log", func(flags *pflag.FlagSet) {
		flags.StringVar(level, "log-level", "info", "debug, info, warn or error; debug shows every heartbeat")
		flags.StringVar(format, "log-format", "text",
			"text, short (a line in columns for each thing that happens) or json")
	})
	cli.Choices(command, "log-level", "debug", "info", "warn", "error")
	cli.Choices(command, "log-format", "text", "short", "json")
}

func newHandler(w io.Writer, level slog.Level, format string, colour bool) (slog.Handler, error) {
	switch format {
	case "text":
		return safe{tint.NewTextHandler(w, &tint.Options{
			Level:      level,
			TimeFormat: "15:04:05.000",
			NoColor:    !colour,
		})}, nil
	case "short":
		return safe{newShort(w, level)}, nil
	case "json":
		return safe{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})}, nil
	}
	return nil, fmt.Errorf("--log-format is %q: must be text, short or json", format)
}

func parseLevel(name string) (slog.Level, error) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(name, level.String()) {
			return level, nil
		}
	}
	return 0, fmt.Errorf("--log-level is %q: must be debug, info, warn or error", name)
}

// hasColours reports whether the user of a terminal wants colours, and it has any.
func hasColours() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
