// Package bind reads what a request carries into the types that are generated from the OpenAPI
// documents. The generated servers call it.
package bind

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/llama-orch/node-registration/internal/exactjson"
)

// Parameter is a text or a whole number.
type Parameter interface{ ~string | ~int32 | ~int64 }

// Path reads a parameter from the path. One that is empty is an error.
func Path[T Parameter](r *http.Request, name string, to *T) error {
	text := InPath(r, name)
	if text == "" {
		return fmt.Errorf("parameter %q is empty", name)
	}
	if plain, ok := any(to).(*string); ok {
		*plain = text
		return nil
	}
	value, err := parse[T](name, text)
	*to = value
	return err
}

// InPath returns what stands in the path of a request for a parameter, and "" if there is none.
func InPath(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return text // the router has matched the path as it is decoded
	}
	decoded, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}

// Query reads the first parameter of a name from a query, and leaves nil if there is none.
func Query[T Parameter](query url.Values, name string, to **T) error {
	return optional(query[name], name, to)
}

// Header reads the first header of a name, and leaves nil if there is none.
func Header[T Parameter](r *http.Request, name string, to **T) error {
	return optional(r.Header.Values(name), name, to)
}

func optional[T Parameter](given []string, name string, to **T) error {
	if len(given) == 0 {
		return nil
	}
	if plain, ok := any(to).(**string); ok {
		*plain = &given[0] // which needs no memory
		return nil
	}
	value, err := parse[T](name, given[0])
	*to = &value
	return err
}

func parse[T Parameter](name, text string) (value T, err error) {
	into := reflect.ValueOf(&value).Elem()
	if into.Kind() == reflect.String {
		into.SetString(text)
		return value, nil
	}
	n, err := strconv.ParseInt(text, 10, into.Type().Bits())
	if err != nil {
		return value, fmt.Errorf("parameter %q: %w", name, errors.Unwrap(err))
	}
	into.SetInt(n)
	return value, nil
}

// Body takes the value that the body of a request carries once it has been checked: as it is if it has
// the type, and else bound to it.
func Body[T any](r *http.Request, to **T) error {
	checked, ok := r.Body.(interface{ ValidatedValue() any })
	if !ok {
		return errors.New("the body has not been checked")
	}
	if value, ok := checked.ValidatedValue().(*T); ok {
		*to = value
		return nil
	}
	*to = new(T)
	if err := exactjson.Bind(checked.ValidatedValue(), *to); err != nil {
		return fmt.Errorf("can't decode JSON body: %w", err)
	}
	return nil
}
