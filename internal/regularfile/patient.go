package regularfile

import (
	"context"
	"fmt"
)

// Patient is a file that is read again and again. If its mount hangs, a single read hangs, not one
// for each call.
type Patient struct {
	path    string
	limit   int64
	reading chan struct{} // full while a read is under way
}

// NewPatient returns the file at a path, of at most limit bytes.
func NewPatient(path string, limit int64) Patient {
	return Patient{path, limit, make(chan struct{}, 1)}
}

// Read is the function Read for the file as it is now. It waits for a read that is under way.
func (p Patient) Read(ctx context.Context) ([]byte, error) {
	type result struct {
		content []byte
		err     error
	}
	select {
	case p.reading <- struct{}{}: // also if ctx has ended: no read is under way
	default:
		select {
		case p.reading <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is still being read: %w", p.path, context.Cause(ctx))
		}
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-p.reading }()
		content, err := read(p.path, p.limit)
		done <- result{content, err}
	}()
	select {
	case r := <-done:
		return r.content, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("read %s: %w", p.path, context.Cause(ctx))
	}
}
