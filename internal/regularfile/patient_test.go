package regularfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/llama-orch/node-registration/internal/hang"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

// joined makes of files what they hold, with a sign between them.
func joined(texts [][]byte) (string, error) {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = string(text)
	}
	return strings.Join(all, "+"), nil
}

func TestFilesThatAreReadAgain(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "2")
	put(t, second, "s")
	files := regularfile.NewPatient(5, joined, first, second)
	for _, content := range []string{"1", "12345", ""} {
		put(t, first, content)
		if got, err := files.Read(t.Context()); got != content+"+s" || err != nil {
			t.Errorf("read %q, want %q: %v", got, content+"+s", err)
		}
	}
	put(t, second, "123456")
	if _, err := files.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "2 is larger than 5 bytes") {
		t.Errorf("error is %v", err)
	}
}

func TestAFileThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "1")
	hang.File(t, path)
	file := regularfile.NewPatient(5, joined, path)
	why := errors.New("that was long enough")
	for range 2 {
		_, err := file.Read(ended(t, why))
		if !errors.Is(err, why) || !strings.HasPrefix(err.Error(), "read "+path+": ") {
			t.Errorf("error is %v, want read %s: %v", err, path, why)
		}
	}
}

// Those who come while a file is read share that read.
func TestAReadIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, reads, goOn := slow(t)
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				if got, err := file.Read(t.Context()); got != 1 || err != nil {
					t.Errorf("read %d, want the first read: %v", got, err)
				}
			})
		}
		synctest.Wait()
		close(goOn)
		callers.Wait()
		if *reads != 1 {
			t.Errorf("the file was read %d times, want once", *reads)
		}
	})
}

// What comes too late for one caller is the next one's, and only that one's.
func TestALateResultIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, _, goOn := slow(t)
		if got, err := file.Read(ended(t, context.Canceled)); err == nil {
			t.Errorf("read %d without waiting", got)
		}
		close(goOn)
		synctest.Wait()
		for want := 1; want <= 2; want++ {
			if got, err := file.Read(t.Context()); got != want || err != nil {
				t.Errorf("got the result of read %d, want of %d: %v", got, want, err)
			}
		}
	})
}

// Whoever is late to take the result of a shared read leaves the next read alone: no two are under way at once.
func TestReadsDoNotOverlap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "")
	var under atomic.Int32
	file := regularfile.NewPatient(5, func([][]byte) (struct{}, error) {
		defer under.Add(-1)
		if n := under.Add(1); n > 1 {
			t.Errorf("%d reads at once", n)
		}
		runtime.Gosched()
		return struct{}{}, nil
	}, path)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 500 {
				if _, err := file.Read(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
}

// slow returns a file that holds how often it was read. The reads end when goOn is closed.
func slow(t *testing.T) (file *regularfile.Patient[int], reads *int, goOn chan struct{}) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "")
	reads, goOn = new(int), make(chan struct{})
	return regularfile.NewPatient(5, func([][]byte) (int, error) {
		*reads++
		<-goOn
		return *reads, nil
	}, path), reads, goOn
}

func ended(t *testing.T, why error) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	return ctx
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
