package registration

import (
	"context"
	"sync"
)

// queueRoom is how many items wait for a slow receiver before further ones are dropped.
const queueRoom = 64

// queue delivers items in order on a goroutine that lives only while there are some. A slow
// receiver holds up nothing, and an idle node holds nothing. A nil queue stays empty.
type queue[T any] struct {
	deliver func(T) error // must not panic; an error or its goroutine's end counts as a dropped item

	mu      sync.Mutex
	waiting []T
	busy    bool          // there are items, or one is being delivered
	empty   chan struct{} // closed when all is delivered, nil while nobody waits for that
	dropped int
}

// put adds the item that complete makes of the number of items dropped so far. A full
// queue drops it.
func (q *queue[T]) put(complete func(dropped int) T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == queueRoom {
		q.dropped++
		return
	}
	q.waiting = append(q.waiting, complete(q.dropped))
	if !q.busy {
		q.busy = true
		go q.drain()
	}
}

func (q *queue[T]) drain() {
	isEmpty := false
	defer func() {
		if !isEmpty {
			q.drop()
			go q.drain()
		}
	}()
	for {
		q.mu.Lock()
		if isEmpty = len(q.waiting) == 0; isEmpty {
			if q.empty != nil {
				close(q.empty)
			}
			q.waiting, q.busy, q.empty = nil, false, nil
			q.mu.Unlock()
			return
		}
		item := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		if err := q.deliver(item); err != nil {
			q.drop()
		}
	}
}

func (q *queue[T]) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
}

func (q *queue[T]) lost() int {
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// flush waits until everything is delivered, or ctx ends.
func (q *queue[T]) flush(ctx context.Context) {
	if q == nil {
		return
	}
	q.mu.Lock()
	if q.busy && q.empty == nil {
		q.empty = make(chan struct{})
	}
	empty := q.empty
	q.mu.Unlock()
	if empty == nil {
		return
	}
	select {
	case <-empty:
	case <-ctx.Done():
	}
}
