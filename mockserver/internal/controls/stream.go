package controls

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/journal"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// keepAlive is how often a stream says that it is still there.
const keepAlive = 15 * time.Second

// StreamJournal follows the journal until the client goes or the server is closed.
func (o operations) StreamJournal(
	ctx context.Context, r controlapi.StreamJournalRequestObject,
) (controlapi.StreamJournalResponseObject, error) {
	asked := r.Params
	filter, err := filterOf(control.ReadJournalParams{
		Node: asked.Node, Operation: asked.Operation, Kind: asked.Kind, Answered: asked.Answered,
		After: cmp.Or(asked.LastEventID, asked.After), Detail: asked.Detail,
	})
	if err != nil {
		return nil, err
	}
	select {
	case o.streams <- struct{}{}:
		return eventStream{o, ctx, filter}, nil
	default:
		return nil, exchange.NewProblem(nodeapi.ProblemCodeThrottled,
			"there are %d streams, which is as many as there may be: end one, or try again", maxStreams).
			With("Retry-After", strconv.Itoa(int(keepAlive.Seconds())))
	}
}

// maxStreams is how many streams there may be at once.
const maxStreams = 256

// eventStream is an answer that lasts.
type eventStream struct {
	server operations
	ctx    context.Context // of the request
	filter journal.Filter
}

// VisitStreamJournalResponse is part of what the generated server expects of an answer. It
// begins the answer; the body is sent when that is known to be good.
func (e eventStream) VisitStreamJournalResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps events until it has some kilobytes
	w.WriteHeader(http.StatusOK)
	x := exchange.In(e.ctx)
	x.SendBy(func(client http.ResponseWriter) {
		defer func() { <-e.server.streams }()
		if x.SendTo(client) == nil {
			e.send(client)
		}
	})
	return nil
}

// send sends events until either side ends it.
func (e eventStream) send(w http.ResponseWriter) {
	ctx, cancel := exchange.In(e.ctx).UntilClosed(e.ctx)
	defer cancel()
	followed := e.server.Journal.Follow(ctx, e.filter) // from before the client knows that it is followed
	events := &eventWriter{pieces: exchange.NewPieces(w)}
	defer events.pieces.End()
	if events.comment("this stream follows the journal") != nil {
		return
	}
	var comments sync.WaitGroup
	comments.Go(func() {
		events.stayAlive(ctx)
		cancel()
	})
	for batch := range followed {
		if events.batch(batch) != nil {
			break
		}
	}
	cancel()
	comments.Wait()
}

// eventWriter writes server-sent events and sends each at once. It encodes an entry when its
// turn comes: a client that does not read costs the memory of one.
type eventWriter struct {
	mu     sync.Mutex // held for a whole event
	pieces exchange.Pieces
	err    error // the first; nothing is written after it
}

// stayAlive writes a comment every now and then, until ctx or the connection ends: proxies
// cut connections on which nothing passes.
func (w *eventWriter) stayAlive(ctx context.Context) {
	ticks := time.NewTicker(keepAlive)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			if w.comment("still here") != nil {
				return
			}
		}
	}
}

func (w *eventWriter) comment(text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.print(": %s\n\n", text)
	return w.flush()
}

func (w *eventWriter) batch(batch journal.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if batch.Dropped > 0 {
		w.print("event: dropped\ndata: {\"dropped\":%d}\n\n", batch.Dropped)
	}
	w.entries(batch.Entries)
	return w.flush()
}

// entries writes an event of entries, up to MaxBatchBytes of them. Its id comes last, when
// it is known.
func (w *eventWriter) entries(entries iter.Seq[control.JournalEntry]) {
	size := 0
	var last control.Sequence
	for entry := range entries {
		data, err := json.Marshal(entry) // which leaves no line breaks in it
		if w.err = cmp.Or(w.err, err); w.err != nil {
			return
		}
		before := ","
		if size == 0 {
			before = "event: entries\ndata: ["
		}
		w.print("%s%s", before, data)
		last = entry.Sequence
		if size += len(data); size >= journal.MaxBatchBytes {
			break
		}
	}
	if size > 0 {
		w.print("]\nid: %d\n\n", last)
	}
}

func (w *eventWriter) print(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.pieces, format, args...)
	}
}

func (w *eventWriter) flush() error {
	if w.err == nil {
		w.err = w.pieces.Flush()
	}
	return w.err
}
