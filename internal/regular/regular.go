// Package regular reads files that somebody else names. A FIFO or a device may block its
// reader for good or have no end, and so may a file system that hangs.
package regular

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

var errIrregular = errors.New("not a regular file")

// Read returns the content of a regular file of no more than most bytes. It returns the
// error of ctx when that ends first.
func Read(ctx context.Context, name string, most int64) ([]byte, error) {
	type result struct {
		content []byte
		err     error
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done := make(chan result, 1)
	go func() {
		content, err := read(name, most)
		done <- result{content, err}
	}()
	select {
	case r := <-done:
		return r.content, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("reading %s: %w", name, ctx.Err())
	}
}

// read looks at the file before it opens it: to open a FIFO may block already.
func read(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: name, Err: errIrregular}
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = &os.PathError{Op: "read", Path: name, Err: fmt.Errorf("the file is larger than %d bytes", most)}
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}
