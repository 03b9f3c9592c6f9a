package regularfile

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Patient is what is made of files that are read again and again. If their mount hangs, a single
// read hangs, not one for each call.
type Patient[T any] struct {
	limit int64
	parse func(texts [][]byte) (T, error)
	paths []string

	mu      sync.Mutex
	current *reading[T] // under way, or over and its result not yet taken
}

type reading[T any] struct {
	over  chan struct{} // closed once the others are set
	value T
	err   error
}

// NewPatient returns what parse makes of the files at these paths, of at most limit bytes each.
// Calls of parse never overlap, and their order is that of the reads.
func NewPatient[T any](limit int64, parse func(texts [][]byte) (T, error), paths ...string) *Patient[T] {
	return &Patient[T]{limit: limit, parse: parse, paths: paths}
}

// Read returns what the files hold, or why that cannot be read, as Read of the package does. It
// shares a read that is under way. A result that comes after all who waited for it have gone is the
// next caller's. Otherwise nobody would ever see files that take longer to read than one waits.
func (p *Patient[T]) Read(ctx context.Context) (T, error) {
	r := p.join()
	select {
	case <-r.over:
		p.take(r)
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), fmt.Errorf("read %s: %w", strings.Join(p.paths, " and "), context.Cause(ctx))
	}
}

func (p *Patient[T]) join() *reading[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		r := &reading[T]{over: make(chan struct{})}
		p.current = r
		go func() {
			defer close(r.over)
			r.value, r.err = p.load()
		}()
	}
	return p.current
}

func (p *Patient[T]) take(r *reading[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == r {
		p.current = nil
	}
}

func (p *Patient[T]) load() (none T, err error) {
	texts := make([][]byte, len(p.paths))
	for i, path := range p.paths {
		if texts[i], err = read(path, p.limit); err != nil {
			return none, err
		}
	}
	return p.parse(texts)
}
