package conformance

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	// promptly is the time within which a connection ends that an answer has ended. A server closes idle
	// connections too, but not so soon.
	promptly = 50 * time.Millisecond
	// fewClosed is how often connections have to end after answers of one kind. Any may break once.
	fewClosed = 2
)

// endings are how connections go on after answers that do not announce their end.
type endings struct {
	mu    sync.Mutex
	kinds map[string]*ending // by operation and status
}

// ending is how they go on after answers of one kind.
type ending struct {
	example         answer
	answers, closed int
	reported        bool
}

// watched is a connection that notes when orchestratord closes it.
type watched struct {
	net.Conn
	endings *endings
	last    *ending // after which it may end; nil if that was announced, was counted, or would be that of the next
	at      time.Time
	ended   bool // by orchestratord
	closed  bool // by us
}

// watch returns a connection that adds to the endings.
func (e *endings) watch(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return &watched{Conn: conn, endings: e}, nil
}

// Read notes the end of the connection, which net/http reads at once.
func (w *watched) Read(into []byte) (int, error) {
	n, err := w.Conn.Read(into)
	w.heed(n > 0, err)
	return n, err
}

// Write notes an end that was not read yet.
func (w *watched) Write(text []byte) (int, error) {
	n, err := w.Conn.Write(text)
	w.heed(false, err)
	return n, err
}

// heed notes the end of the connection, unless it is ours. If it follows the beginning of an answer, it is not
// that of the answer before.
func (w *watched) heed(answers bool, err error) {
	w.endings.mu.Lock()
	defer w.endings.mu.Unlock()
	if answers {
		w.last = nil
	}
	if err != nil {
		w.ended = w.ended || !w.closed
		w.count()
	}
}

// Close closes the connection for us.
func (w *watched) Close() error {
	w.endings.mu.Lock()
	w.closed = true
	w.endings.mu.Unlock()
	return w.Conn.Close()
}

// count counts an end that follows an answer. It needs the lock.
func (w *watched) count() {
	if w.ended && w.last != nil && time.Since(w.at) < promptly {
		w.last.closed++
		w.last = nil
	}
}

// note notes that an answer came over a connection.
func (e *endings) note(a *answer, conn net.Conn) {
	w, isWatched := conn.(*watched)
	if !isWatched {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w.last, w.at = nil, time.Now()
	if a.last || w.closed && !w.ended {
		return
	}
	key := fmt.Sprint(a.op.id, a.status)
	if e.kinds[key] == nil {
		e.kinds[key] = &ending{example: *a}
	}
	w.last = e.kinds[key]
	w.last.answers++
	w.count()
}

// unannounced returns the kinds of answers after which connections end and do not say so, each once.
func (e *endings) unannounced() []ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []ending
	for _, key := range slices.Sorted(maps.Keys(e.kinds)) {
		kind := e.kinds[key]
		if !kind.reported && kind.closed >= fewClosed && 10*kind.closed >= 9*kind.answers {
			kind.reported = true
			found = append(found, *kind)
		}
	}
	return found
}

// reportEndings reports connections that end after answers of a kind without a word of it. A server should
// announce that (RFC 9112, section 9.6), or the next call is lost. Since it may close a connection at any time,
// nodes repeat such a call. So only what is a habit counts, at level Document.
func (s *session) reportEndings() {
	for _, kind := range s.prober.endings.unannounced() {
		a := kind.example
		s.trail = []made{{call: a.call}}
		s.find(Document, a.op, at(&a, "connection"), "one that goes on, or the header Connection: close (RFC 9112)",
			fmt.Sprintf("its end after %d of %d such answers", kind.closed, kind.answers))
	}
}
