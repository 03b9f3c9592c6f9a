package mockserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// keepAlive is after how long without an event a stream says that it is still there.
const keepAlive = 15 * time.Second

// StreamJournal follows the journal until the client goes or the server is closed.
func (c controls) StreamJournal(ctx context.Context, r controlapi.StreamJournalRequestObject) (controlapi.StreamJournalResponseObject, error) {
	filter := journal.Filter{
		Node:      valueOr(r.Params.Node, ""),
		Operation: valueOr(r.Params.Operation, ""),
		Kind:      valueOr(r.Params.Kind, ""),
		Answered:  valueOr(r.Params.Answered, ""),
		After:     r.Params.After,
		Brief:     *r.Params.Detail == control.StreamJournalParamsDetailBrief,
	}
	if r.Params.LastEventID != nil {
		filter.After = r.Params.LastEventID
	}
	if err := filter.Check(); err != nil {
		return nil, newProblem(codeInvalidParameter, "%v", err)
	}
	return eventStream{c, ctx, filter}, nil
}

// eventStream is an answer that lasts.
type eventStream struct {
	server controls
	ctx    context.Context // of the request
	filter journal.Filter
}

// VisitStreamJournalResponse is part of what the generated server wants of an answer. It
// begins the answer; the body is sent when that is known to be good.
func (e eventStream) VisitStreamJournalResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	x := exchangeIn(e.ctx)
	x.transmit = func(client http.ResponseWriter) {
		if x.answer.sendTo(client) == nil {
			e.send(client)
		}
	}
	return nil
}

// send sends events until either side ends it.
func (e eventStream) send(w http.ResponseWriter) {
	ctx, cancel := e.server.untilClosed(e.ctx)
	defer cancel()
	followed := e.server.journal.Follow(ctx, e.filter) // from before the client knows that it is followed
	batches := make(chan journal.Batch)
	go func() {
		defer close(batches)
		for batch := range followed {
			select {
			case batches <- batch:
			case <-ctx.Done():
			}
		}
	}()
	events := eventWriter{newPiecewise(w)}
	defer events.end()
	err := events.comment("this stream follows the journal")
	for err == nil {
		select {
		case batch, more := <-batches:
			if !more {
				return
			}
			err = events.batch(batch)
		case <-time.After(keepAlive):
			err = events.comment("still here")
		}
	}
	cancel()
	for range batches { // until the follower has seen that it is over
	}
}

// eventWriter writes server-sent events, each of which is sent at once.
type eventWriter struct{ piecewise }

func (w eventWriter) batch(batch journal.Batch) error {
	if batch.Dropped > 0 {
		if err := w.write("event: dropped\ndata: {\"dropped\":%d}\n\n", batch.Dropped); err != nil {
			return err
		}
	}
	if len(batch.Entries) == 0 {
		return nil
	}
	data, err := json.Marshal(batch.Entries) // which leaves no line breaks in it
	if err != nil {
		return err
	}
	return w.write("id: %d\nevent: entries\ndata: %s\n\n", batch.Entries[len(batch.Entries)-1].Sequence, data)
}

func (w eventWriter) comment(text string) error {
	return w.write(": %s\n\n", text)
}

func (w eventWriter) write(format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		return err
	}
	return w.flush()
}
