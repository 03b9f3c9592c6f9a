package mocktest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

func get(ctx context.Context, t *testing.T, handler http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://orchestratord/path?query", nil)
	if err != nil {
		t.Fatal(err)
	}
	return mocktest.Transport(handler).RoundTrip(r)
}

// TestTransport looks at a request and its answer from both ends.
func TestTransport(t *testing.T) {
	type key struct{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Context().Value(key{}) != nil {
			t.Error("the handler sees what the client's context carries")
		}
		r.Header.Set("X-Sent", "changed")
		w.Header().Set("X-Answered", "yes")
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-Late", "yes")
		fmt.Fprint(w, r.Method, " ", r.Host, " ", r.URL, " ", r.RequestURI, " ")
		fmt.Fprint(w, string(body))
	})
	ctx := context.WithValue(t.Context(), key{}, "value")
	sent := &closer{Reader: strings.NewReader("body")}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://orchestratord:8080/a%2Fb?c=d", sent)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Sent", "as it was")
	client := http.Client{Transport: mocktest.Transport(handler), Timeout: time.Minute}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if want := "POST orchestratord:8080 /a%2Fb?c=d /a%2Fb?c=d body"; err != nil || string(text) != want {
		t.Errorf("body %q, %v, want %q", text, err, want)
	}
	if !sent.closed.Load() {
		t.Error("the request's body is still open")
	}
	if response.Status != "418 I'm a teapot" || response.StatusCode != http.StatusTeapot {
		t.Errorf("status %d, %q", response.StatusCode, response.Status)
	}
	if response.Header.Get("X-Answered") != "yes" || response.Header.Get("X-Late") != "" ||
		r.Header.Get("X-Sent") != "as it was" {
		t.Errorf("answered %v to %v", response.Header, r.Header)
	}
}

// closer is a body that knows whether it was closed.
type closer struct {
	io.Reader
	closed atomic.Bool
}

func (c *closer) Close() error {
	c.closed.Store(true)
	return nil
}

func TestTransportWithoutBody(t *testing.T) {
	for _, handler := range []http.HandlerFunc{
		func(http.ResponseWriter, *http.Request) {},
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "body"); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("error %v", err)
			}
		},
	} {
		response, err := get(t.Context(), t, handler)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(response.Body); err != nil || len(text) != 0 {
			t.Errorf("status %d, body %q, %v", response.StatusCode, text, err)
		}
		if none := response.StatusCode == http.StatusNoContent; none != (response.ContentLength == 0) {
			t.Errorf("status %d says that the body has %d bytes", response.StatusCode, response.ContentLength)
		}
	}
}

// TestTransportInterim has a handler send a status in the meantime, as one in front of an orchestratord
// may.
func TestTransportInterim(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</nodes>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Link", "")
		w.WriteHeader(http.StatusAccepted)
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://orchestratord/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := mocktest.Transport(handler).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if link := response.Header.Get("Link"); response.StatusCode != http.StatusAccepted || link != "" {
		t.Errorf("status %d and link %q, want the final ones", response.StatusCode, link)
	}
}

// TestTransportBodiless has a handler write what no answer of this kind can have.
func TestTransportBodiless(t *testing.T) {
	for _, test := range []struct {
		method string
		status int
	}{
		{http.MethodHead, http.StatusOK},
		{http.MethodGet, http.StatusNoContent},
		{http.MethodGet, http.StatusNotModified},
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			if n, err := io.WriteString(w, "body"); n != 0 || !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("%+v: %d bytes are written, error %v", test, n, err)
			}
		})
		r, err := http.NewRequestWithContext(t.Context(), test.method, "http://orchestratord/", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := mocktest.Transport(handler).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(response.Body); err != nil || len(text) != 0 || response.ContentLength != 0 {
			t.Errorf("%+v: body %q, of %d bytes, %v", test, text, response.ContentLength, err)
		}
	}
}

// TestReceived looks at what a handler knows of a request, by the length that its client states.
func TestReceived(t *testing.T) {
	for _, test := range []struct {
		host       string
		body       io.Reader
		wantHost   string
		wantLength int64
	}{
		{"", nil, "orchestratord:8080", 0},
		{"elsewhere", http.NoBody, "elsewhere", 0},
		{"", strings.NewReader("body"), "orchestratord:8080", 4},
		{"", io.MultiReader(strings.NewReader("body")), "orchestratord:8080", -1},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://orchestratord:8080/", test.body)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = test.host
		seen := make(chan *http.Request, 1)
		handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r })
		response, err := mocktest.Transport(handler).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if response.Request != r || response.ProtoMajor != 1 || response.ProtoMinor != 1 {
			t.Errorf("the answer %+v is to %p, want %p", response, response.Request, r)
		}
		got := <-seen
		if got.Host != test.wantHost || got.ContentLength != test.wantLength || got.Body == nil {
			t.Errorf("host %s, length %d, body %v, want %+v", got.Host, got.ContentLength, got.Body, test)
		}
		if _, _, err := net.SplitHostPort(got.RemoteAddr); err != nil {
			t.Errorf("it comes from %q: %v", got.RemoteAddr, err)
		}
	}
}

// TestTransportCancel has clients lose patience at every point of an exchange. Neither
// side may hang, which the bubble notices, and no goroutine may stay.
func TestTransportCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		ended := make(chan error, 1)
		_, err := get(ctx, t, func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			time.Sleep(time.Hour)
			_, err := io.WriteString(w, "too late")
			ended <- err
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if err := <-ended; err == nil {
			t.Error("the handler could write")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		response, err := get(ctx, t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half")
			<-r.Context().Done()
		})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(response.Body); string(text) != "half" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("body %q, %v", text, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		response, err := get(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
			if _, err := io.WriteString(w, "unread"); err == nil {
				t.Error("the handler could write")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	})
}

// TestTransportCancelFirst has handlers break off because their client has gone. What
// the client gets is the error of its own context all the same.
func TestTransportCancelFirst(t *testing.T) {
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		response, err := get(ctx, t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half")
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := io.ReadAll(response.Body); !errors.Is(err, context.Canceled) {
			t.Fatalf("body: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = get(ctx, t, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
	}
}

// TestTransportPanic breaks the connection, before the answer and in the middle of it.
func TestTransportPanic(t *testing.T) {
	_, err := get(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic("oh dear") })
	if err == nil || !strings.Contains(err.Error(), "oh dear") {
		t.Errorf("error %v", err)
	}
	response, err := get(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(response.Body); string(text) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("body %q, %v", text, err)
	}
	_, err = get(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

// TestTransportEnds looks at the handler's context when the client has the answer.
func TestTransportEnds(t *testing.T) {
	var ctx context.Context
	response, err := get(t.Context(), t, func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil || ctx.Err() == nil {
		t.Errorf("error %v, that of the handler's context %v", err, ctx.Err())
	}
}
