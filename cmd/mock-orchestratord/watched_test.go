package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowFiles watches a file that takes five times as long to read as a connection waits.
func TestSlowFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		var took atomic.Int64 // nanoseconds
		watched := watch("texts", "--file", slog.New(slog.DiscardHandler), func(texts [][]byte) (*string, error) {
			time.Sleep(time.Duration(took.Load()))
			text := string(texts[0])
			return &text, nil
		}, file)
		for _, step := range []struct {
			text string
			took time.Duration
			want string
		}{
			{"first", 5 * time.Second, "first"}, // there is nothing else to go on with
			{"second", 5 * time.Second, "first"},
			{"third", 0, "second"},
			{"third", 0, "third"},
		} {
			write(t, file, step.text)
			took.Store(int64(step.took))
			got, err := watched.read(t.Context())
			if err != nil {
				t.Fatalf("the file holds %q: %v", step.text, err)
			}
			if *got != step.want {
				t.Errorf("the file holds %q: read %q, want %q", step.text, *got, step.want)
			}
			time.Sleep(10 * time.Second)
		}
	})
}

// TestClientsThatLeave has one go while a file is being read. That is no fault of the file.
func TestClientsThatLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := write(t, filepath.Join(t.TempDir(), "file"), "text")
		var logged bytes.Buffer
		log := slog.New(slog.NewTextHandler(&logged, nil))
		watched := watch("texts", "--file", log, func([][]byte) (*int, error) {
			time.Sleep(lookTimeout / 2)
			return new(1), nil
		}, file)
		if _, err := watched.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		write(t, file, "another")
		leaves, cancel := context.WithTimeout(t.Context(), lookTimeout/4)
		defer cancel()
		if got, err := watched.read(leaves); err != nil || *got != 1 || logged.Len() > 0 {
			t.Errorf("read %v, %v, and logged %s", got, err, &logged)
		}
		time.Sleep(lookTimeout)
	})
}
