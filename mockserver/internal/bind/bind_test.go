package bind_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/mockserver/internal/bind"
)

// colour has a type of its own, as the generated enums do.
type colour string

func TestPath(t *testing.T) {
	for _, test := range []struct {
		path, given string // as chi found it
		text        string
		number      int32
		broken      string
	}{
		{path: "/a/7", given: "7", text: "7", number: 7},
		{path: "/a/-7", given: "-7", text: "-7", number: -7},
		{path: "/a/b%20c", given: "b c", text: "b c", broken: `parameter "id": invalid syntax`},
		{path: "/a/50%25", given: "50%", text: "50%", broken: `parameter "id": invalid syntax`},
		{path: "/a/b%2Fc", given: "b%2Fc", text: "b/c", broken: `parameter "id": invalid syntax`},
		{path: "/a/2147483648", given: "2147483648", text: "2147483648", broken: `parameter "id": value out of range`},
	} {
		route := chi.NewRouteContext()
		route.URLParams.Add("id", test.given)
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), chi.RouteCtxKey, route), "GET", test.path,
			nil)
		var text string
		var own colour
		if err := bind.Path(r, "id", &text); err != nil || text != test.text {
			t.Errorf("%s: %q, %v, want %q", test.path, text, err, test.text)
		}
		if err := bind.Path(r, "id", &own); err != nil || string(own) != test.text {
			t.Errorf("%s: %q, %v, want %q", test.path, own, err, test.text)
		}
		var number int32
		err := bind.Path(r, "id", &number)
		if number != test.number || message(err) != test.broken {
			t.Errorf("%s: %d, %v, want %d, %q", test.path, number, err, test.number, test.broken)
		}
		if err := bind.Path(r, "other", &text); message(err) != `parameter "other" is empty` {
			t.Errorf("a parameter that is not there: %v", err)
		}
	}
}

func TestOptionalParameters(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.Header.Set("Last-Event-ID", "42")
	query := url.Values{"colour": {"red", "blue"}, "limit": {"x"}, "empty": {""}}
	var id, limit, missing *int64
	var shade *colour
	var empty *string
	for name, err := range map[string]error{
		"Last-Event-ID": bind.Header(r, "Last-Event-ID", &id),
		"colour":        bind.Query(query, "colour", &shade),
		"empty":         bind.Query(query, "empty", &empty),
		"missing":       bind.Query(query, "missing", &missing),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := []any{id, shade, empty, missing}
	if diff := cmp.Diff([]any{new(int64(42)), new(colour("red")), new(""), (*int64)(nil)}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := bind.Query(query, "limit", &limit); message(err) != `parameter "limit": invalid syntax` {
		t.Errorf("limit: %v", err)
	}
}

// checked is a body that has been decoded before.
type checked struct {
	io.ReadCloser
	value any
}

func (c checked) ValidatedValue() any { return c.value }

func TestBody(t *testing.T) {
	type body struct {
		Name string `json:"name"`
	}
	decoded := &body{Name: "decoded"}
	for _, test := range []struct {
		name string
		from io.ReadCloser
		want *body
		same bool
	}{
		{"a value of the type", checked{http.NoBody, decoded}, decoded, true},
		{"another value", checked{http.NoBody, map[string]any{"Name": "X", "name": "x"}}, &body{Name: "x"}, false},
		{"a value that does not fit", checked{http.NoBody, []any{}}, nil, false},
		{"a text", io.NopCloser(strings.NewReader(`{"name":"text"}`)), nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
			r.Body = test.from
			var got *body
			err := bind.Body(r, &got)
			if test.want == nil {
				if err == nil {
					t.Errorf("bound %v", got)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if test.same != (got == decoded) {
				t.Errorf("decoded again: %t", got != decoded)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
