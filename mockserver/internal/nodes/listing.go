package nodes

import (
	"fmt"
	"io"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/api"
	"github.com/llama-orch/node-registration/mockserver/internal/cluster"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/internal/wire"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	listingChunk = exchange.KeptBuffer / 2 // bytes of a listing that are made before any of them are sent
	listingPage  = 64                      // nodes of it that are read at once
)

// listing is an answer that lists nodes. It reads them as it is sent, so that its memory does not
// depend on their number if the dialect reads them page by page. Nodes that register or leave meanwhile may
// be on the list or not.
type listing struct {
	dialect   dialect
	nodes     *cluster.Cluster
	at        position
	most      int              // nodes that the document lets a list have
	unchecked bool             // whether nodes may break the document
	shown     nodeapi.Node     // room for the next
	list      nodeapi.NodeList // all of the list but the nodes
	whole     bool
}

// VisitListNodesResponse writes the answer that the generated one would be.
func (l *listing) VisitListNodesResponse(w http.ResponseWriter) error {
	x, ok := w.(*exchange.Exchange)
	if !ok {
		return fmt.Errorf("a listing cannot be written to %T", w)
	}
	return api.ListNodes200JSONResponse{}.VisitListNodesResponse(listingWriter{x, l})
}

// listingWriter receives the status and content type of a list, and writes the listing in place
// of the value.
type listingWriter struct {
	*exchange.Exchange
	listing *listing
}

// WriteValue holds the first chunk back, so that a list that is broken there is still a 500.
// It leaves the rest for when the answer is sent.
func (w listingWriter) WriteValue(status int, contentType string, _ any) error {
	l := w.listing
	l.unchecked = !w.IsHeldToDocument()
	l.list.Nodes = []nodeapi.Node{} // they are written one by one
	text, err := l.fill(wire.OpenNodeList(w.Buffer()))
	if err != nil {
		return err
	}
	var rest func(io.Writer) error
	if !l.whole {
		rest = l.send
	}
	w.WriteText(status, contentType, text, rest)
	return nil
}

// send sends what is left of the list. An error means that it cannot go on.
func (l *listing) send(client io.Writer) error {
	var text []byte
	for !l.whole {
		var err error
		if text, err = l.fill(text[:0]); err != nil {
			return err
		}
		if _, err := client.Write(text); err != nil {
			return nil // the client has gone
		}
	}
	return nil
}

// fill appends nodes until there is a chunk of them, or no more.
func (l *listing) fill(text []byte) (_ []byte, err error) {
	for len(text) < listingChunk && !l.whole {
		// Where nodes leave that are on the list, and others come, there may be too many.
		nodes, more := l.dialect.page(l.nodes, &l.at, min(listingPage, l.most-int(l.list.Count)))
		for _, node := range nodes {
			if text, err = l.add(text, node); err != nil {
				return text, err
			}
		}
		if l.whole = !more || int(l.list.Count) == l.most; l.whole {
			return l.close(text)
		}
	}
	return text, nil
}

func (l *listing) add(text []byte, node registry.Node) ([]byte, error) {
	l.shown = l.dialect.view(node)
	if l.list.Count > 0 {
		text = append(text, ',')
	}
	l.list.Count++
	if err := l.check(&l.shown); err != nil && !cluster.Invalid(node) {
		return text, fmt.Errorf("answer: node %q: %w", l.shown.NodeID, err)
	}
	return l.dialect.write(text, &l.shown)
}

func (l *listing) close(text []byte) ([]byte, error) {
	if err := l.check(&l.list); err != nil {
		return text, fmt.Errorf("answer: %w", err)
	}
	return append(wire.CloseNodeList(text, l.list), '\n'), nil
}

func (l *listing) check(value any) error {
	if l.unchecked {
		return nil
	}
	return wire.Check(value)
}
