package mockserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"runtime/debug"

	"github.com/getkin/kin-openapi/openapi3"
)

// answer is what the server is about to answer. It is held back until it is known to
// be good.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(text []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(text)
}

// checkAnswers sends the answers of next, and in place of one that breaks the document,
// or of a panic, a 500.
func (s *Server) checkAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		blank := func() *answer { return &answer{header: w.Header().Clone()} }
		a := blank()
		err := serve(next, a, r)
		if err == nil && s.validation != Off {
			err = s.contract.checkAnswer(r, a)
		}
		if err != nil {
			a = blank()
			s.writeProblem(a, r, err)
		}
		maps.Copy(w.Header(), a.header)
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body.Bytes()) // an error means that the client has gone
	})
}

// serve calls a handler and makes an error of its panic.
func serve(handler http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			panic(cause)
		default:
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK) // which counts if the handler has not said otherwise
	return nil
}

// checkAnswer holds an answer to the document.
func (c *contract) checkAnswer(r *http.Request, a *answer) error {
	declared := c.problem
	if operation := c.operation(r); operation != nil {
		ref := operation.Responses.Status(a.status)
		if ref == nil {
			return fmt.Errorf("answer: status %d is not declared for %s", a.status, operation.OperationID)
		}
		declared = ref.Value
	}
	if err := c.checkHeader(declared.Headers, a.header); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if err := c.checkBody(declared.Content, a); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func (c *contract) checkHeader(declared openapi3.Headers, header http.Header) error {
	for name, ref := range declared {
		var value any = header.Get(name)
		if value == "" {
			if ref.Value.Required {
				return fmt.Errorf("header %s is missing", name)
			}
			continue
		}
		schema := ref.Value.Schema.Value
		if schema.Type.Is(openapi3.TypeInteger) {
			value = json.Number(header.Get(name))
		}
		if err := c.check(schema, value); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

func (c *contract) checkBody(declared openapi3.Content, a *answer) error {
	if len(declared) == 0 {
		if a.body.Len() > 0 {
			return fmt.Errorf("status %d has no body", a.status)
		}
		return nil
	}
	mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	form := declared[mediaType]
	if form == nil {
		return fmt.Errorf("content type %q is not declared", a.header.Get("Content-Type"))
	}
	value, err := decodeJSON(a.body.Bytes())
	if err != nil {
		return err
	}
	return c.check(form.Schema.Value, value, openapi3.VisitAsResponse())
}
