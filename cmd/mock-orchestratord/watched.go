package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/internal/regularfile"
)

// watched is a value that is read from files, which may be replaced while it is in use.
type watched[T any] struct {
	what  string // the files hold
	name  string // of the flags, and their files
	names []string
	files *regularfile.Patient[*T]
	parse func(texts [][]byte) (*T, error)
	log   *slog.Logger

	mu       sync.Mutex
	texts    [][]byte // of the files when they were last good
	last     *T       // what they held
	broken   string   // why they are not good now, "" if they are
	replaced bool     // whether they hold something new that the log does not have
}

// maxWatched is how many bytes such a file may have: a bundle of all public authorities has
// a quarter of them.
const maxWatched = 1 << 20

// lookTimeout is how long a connection waits for the files. On a file system that hangs it goes on
// with the last valid value.
const lookTimeout = time.Second

func watch[T any](
	what, name string, log *slog.Logger, parse func(texts [][]byte) (*T, error), files ...string,
) *watched[T] {
	w := &watched[T]{what: what, name: name, names: files, parse: parse, log: log}
	w.files = regularfile.NewPatient(maxWatched, w.take, files...)
	return w
}

// read returns the current value of the files. While they are invalid, as during a
// replacement, it returns the last valid value. It logs each change.
func (w *watched[T]) read(ctx context.Context) (*T, error) {
	look, cancel := w.limit(ctx)
	defer cancel()
	value, err := w.files.Read(look)
	if err != nil {
		return w.keep(ctx, fmt.Errorf("%s: %w", w.name, err))
	}
	w.logReplaced()
	return value, nil
}

func (w *watched[T]) logReplaced() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.replaced {
		w.log.Info(w.what+" read again", "files", w.names)
		w.replaced = false
	}
}

// limit ends the wait for the files where there is a value to go on with.
func (w *watched[T]) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, lookTimeout)
}

// take returns the value of the files, and keeps it, also if nobody waits for it any more. It does not
// log, since it may outlive the program's log.
func (w *watched[T]) take(texts [][]byte) (*T, error) {
	if last := w.unchanged(texts); last != nil {
		return last, nil
	}
	value, err := w.parse(texts)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replaced = w.last != nil
	w.texts, w.last, w.broken = texts, value, ""
	return value, nil
}

// unchanged returns the last valid value, if these texts are where it is from, and nil otherwise.
func (w *watched[T]) unchanged(texts [][]byte) *T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != "" || !slices.EqualFunc(texts, w.texts, bytes.Equal) {
		return nil
	}
	return w.last
}

// keep returns the last valid value, if there is one. It does not log an end of ctx as a
// fault of the files.
func (w *watched[T]) keep(ctx context.Context, err error) (*T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		return nil, err
	}
	if ctx.Err() == nil && err.Error() != w.broken {
		w.log.Warn(w.what+" do not load, those before stay in use", "error", err)
		w.broken = err.Error()
	}
	return w.last, nil
}
