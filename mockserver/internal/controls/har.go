package controls

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/har"
	"github.com/llama-orch/node-registration/mockserver/internal/controlapi"
	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
	"github.com/llama-orch/node-registration/mockserver/journal"
)

// ReadArchive answers with all requests in the journal as an HTTP archive.
func (o operations) ReadArchive(
	ctx context.Context, _ controlapi.ReadArchiveRequestObject,
) (controlapi.ReadArchiveResponseObject, error) {
	return archive{o, exchange.In(ctx)}, nil
}

// archive is an answer that is written entry by entry.
type archive struct {
	server operations
	x      *exchange.Exchange
}

// VisitReadArchiveResponse is part of what the generated server expects of an answer. It begins the
// answer; the body is sent when that is known to be good.
func (a archive) VisitReadArchiveResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="journal.har"`)
	w.WriteHeader(http.StatusOK)
	a.x.SendBy(func(client http.ResponseWriter) {
		client.WriteHeader(http.StatusOK)
		pieces := exchange.NewPieces(client)
		defer pieces.End()
		_ = a.write(pieces) // an error means that the client has gone
	})
	return nil
}

func (a archive) write(to io.Writer) error {
	w := bufio.NewWriter(to)
	creator, err := json.Marshal(har.Creator{Name: "mock-orchestratord", Version: version()})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, `{"log":{"version":"1.2","creator":%s,"entries":[`, creator)
	before := ""
	for page := range a.pages() {
		for _, entry := range page {
			text, err := json.Marshal(archived(entry, a.base()))
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(w, "%s\n%s", before, text)
			before = ","
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, _ = w.WriteString("]}}\n")
	return w.Flush()
}

// pages returns the requests that are in the journal by now.
func (a archive) pages() iter.Seq[[]control.JournalEntry] {
	return func(yield func([]control.JournalEntry) bool) {
		end := a.server.Journal.Counts().Last // which new entries may move faster than the client reads
		filter := journal.Filter{Kind: control.EntryKindExchange, After: new(control.Sequence)}
		for *filter.After < end {
			page := a.server.Journal.Page(filter, archivePage)
			later := func(entry control.JournalEntry) bool { return entry.Sequence > end }
			if !yield(slices.DeleteFunc(page.Entries, later)) {
				return
			}
			filter.After = &page.Last
		}
	}
}

// archivePage is how many entries are read at once.
const archivePage = 100

// base returns the URL of the mock, as the client that asks knows it.
func (a archive) base() string {
	scheme := "http://"
	if a.x.Request.TLS != nil {
		scheme = "https://"
	}
	return scheme + a.x.Request.Host
}

// archived returns an entry of the journal as an archive has it.
func archived(e control.JournalEntry, base string) har.Entry {
	took := float64(optional.Or(e.DurationUs, 0)) / 1000
	request := har.Request{
		Method: e.Request.Method, URL: base + e.Request.Path, HTTPVersion: "HTTP/1.1",
		Cookies: []har.Pair{}, Headers: pairs(e.Request.Header), QueryString: []har.Pair{}, HeadersSize: -1,
	}
	if e.Request.Query != nil {
		request.URL += "?" + *e.Request.Query
	}
	if body := e.Request.Body; body != nil {
		request.BodySize = body.Bytes
		request.PostData = &har.PostData{
			MimeType: headerOf(e.Request.Header, "Content-Type"), Params: []har.Pair{}, Text: body.Text,
		}
	}
	response := har.Response{
		Status: int(optional.Or(e.Answer.Status, 0)), HTTPVersion: "HTTP/1.1", Cookies: []har.Pair{},
		Headers: pairs(e.Answer.Header), HeadersSize: -1,
		Content: har.Content{MimeType: headerOf(e.Answer.Header, "Content-Type")},
	}
	response.StatusText = http.StatusText(response.Status)
	if body := e.Answer.Body; body != nil {
		response.BodySize, response.Content.Size, response.Content.Text = body.Bytes, body.Bytes, body.Text
	}
	return har.Entry{
		Started: time.UnixMilli(e.AtMs).Add(-time.Duration(optional.Or(e.DurationUs, 0)) * time.Microsecond).UTC(),
		Time:    took, Request: request, Response: response, Timings: har.Timings{Wait: took}, Comment: e.Summary,
		Encoded: headerOf(e.Request.Header, contentEncoding)+headerOf(e.Answer.Header, contentEncoding) != "",
	}
}

const contentEncoding = "Content-Encoding"

func pairs(header *control.HeaderRecord) []har.Pair {
	found := []har.Pair{}
	if header == nil {
		return found
	}
	for _, name := range slices.Sorted(maps.Keys(*header)) {
		found = append(found, har.Pair{Name: name, Value: (*header)[name]})
	}
	return found
}

func headerOf(header *control.HeaderRecord, name string) string {
	if header == nil {
		return ""
	}
	return (*header)[name]
}
