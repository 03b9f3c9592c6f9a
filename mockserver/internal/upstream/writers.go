package upstream

import (
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/exchange"
)

// streamed sends an answer to the client as it comes. Each piece has a deadline of its own.
type streamed struct {
	http.ResponseWriter
	p    *Passage
	head func() // nil for nothing to do
}

// WriteHeader sends a head, which may be an interim one.
func (s *streamed) WriteHeader(status int) {
	if status >= http.StatusOK {
		complete(s.Header())
		if s.head != nil {
			s.head()
		}
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write sends a piece at once, unless it is the last one, which the HTTP server sends.
func (s *streamed) Write(text []byte) (int, error) {
	exchange.SetDeadline(s.ResponseWriter)
	n, err := s.ResponseWriter.Write(text)
	if err == nil && !s.p.over {
		_ = http.NewResponseController(s.ResponseWriter).Flush() // the next write fails if this did
	}
	return n, err
}

// Unwrap is for http.ResponseController.
func (s *streamed) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// complete keeps the HTTP server from adding headers that the answer does not have.
func complete(header http.Header) {
	for _, name := range [...]string{"Content-Type", "Date"} {
		if _, there := header[name]; !there {
			header[name] = nil
		}
	}
}

// held sends nothing: the passage has written the answer to the exchange already.
type held struct{ x *exchange.Exchange }

func (h held) Header() http.Header            { return h.x.Header() }
func (h held) WriteHeader(int)                {}
func (h held) Write(text []byte) (int, error) { return len(text), nil }
