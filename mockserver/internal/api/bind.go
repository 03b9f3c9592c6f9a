package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"
	"github.com/oapi-codegen/runtime"
)

// ValueWriter is the http.ResponseWriter that the answers here are for. It encodes values.
type ValueWriter interface {
	WriteValue(status int, contentType string, value any) error
}

func write(w http.ResponseWriter, status int, contentType string, value any) error {
	to, ok := w.(ValueWriter)
	if !ok {
		return fmt.Errorf("a value cannot be written to %T", w)
	}
	return to.WriteValue(status, contentType, value)
}

// bind returns the body of a request: as it is if it carries the value that it was decoded
// to, and else decoded.
func bind[T any](r *http.Request) (*T, error) {
	if checked, ok := r.Body.(interface{ ValidatedValue() any }); ok {
		if value, ok := checked.ValidatedValue().(*T); ok {
			return value, nil
		}
	}
	value := new(T)
	if err := runtime.BindJSONBody(r, value); err != nil {
		return nil, fmt.Errorf("can't decode JSON body: %w", err)
	}
	return value, nil
}

// pathParameter returns what stands in the path for a parameter.
func pathParameter(r *http.Request, name string) (string, error) {
	text := chi.URLParam(r, name)
	if text == "" {
		return "", errors.New("parameter " + name + " is empty")
	}
	if r.URL.RawPath == "" { // the router has matched the path as it is decoded
		return text, nil
	}
	return url.PathUnescape(text)
}

// headerParameter returns the first header of a name, and nil if there is none.
func headerParameter(r *http.Request, name string) *string {
	values := r.Header.Values(name)
	if len(values) == 0 {
		return nil
	}
	return &values[0]
}
