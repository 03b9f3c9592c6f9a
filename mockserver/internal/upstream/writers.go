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

// patient is held until the answer turns out to be longer than what is kept, and streamed from then on.
type patient struct {
	streamed
	sending bool
}

// WriteHeader leaves the head for later.
func (w *patient) WriteHeader(int) {}

// Write sends a piece, if need be after all that came before it.
func (w *patient) Write(text []byte) (int, error) {
	x := w.p.x
	if !w.sending {
		kept := x.Body()
		if x.AnswerBytes == len(kept) {
			return len(text), nil
		}
		w.sending = true
		w.streamed.WriteHeader(x.Status())
		if _, err := w.streamed.Write(kept[:x.AnswerBytes-len(text)]); err != nil {
			return 0, err
		}
	}
	return w.streamed.Write(text)
}

// FlushError is for http.ResponseController, which would send the head.
func (w *patient) FlushError() error {
	if !w.sending {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}
