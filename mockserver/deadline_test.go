package mockserver_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// timed is a client with a connection that takes note of its deadline.
type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
	unbound  int // writes without a deadline
}

func (c *timed) SetWriteDeadline(deadline time.Time) error {
	c.deadline = deadline
	return nil
}

func (c *timed) Write(text []byte) (int, error) {
	if !c.deadline.After(time.Now()) {
		c.unbound++
	}
	return c.ResponseRecorder.Write(text)
}

// TestEveryAnswerHasADeadline asks for answers of all kinds, again after the deadline of the
// one before has passed. What the HTTP server sends in the end has one, too.
func TestEveryAnswerHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Load(fleet(t, 1000))
		client := &timed{}
		for _, path := range []string{
			"/v2/nodes/node-000000", "/v2/nodes", "/nowhere", "/healthz", "/metrics", "/docs",
			"/__mock", "/__mock/nodes", "/",
		} {
			client.ResponseRecorder = httptest.NewRecorder()
			s.ServeHTTP(client, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
			if client.Body.Len() == 0 || client.unbound > 0 || !client.deadline.After(time.Now()) {
				t.Errorf("%s: %d bytes, %d writes without a deadline, which is %s from now", path, client.Body.Len(),
					client.unbound, time.Until(client.deadline))
			}
			time.Sleep(time.Minute)
		}
		request := httptest.NewRequest(http.MethodPost, "/v2/nodes/register", http.NoBody)
		request.Header.Set("Expect", "100-continue")
		request.Body = bodyThatAsks{t, client}
		s.ServeHTTP(client, request)
	})
}

// bodyThatAsks is there when the HTTP server has sent that it expects it.
type bodyThatAsks struct {
	*testing.T
	client *timed
}

func (b bodyThatAsks) Read([]byte) (int, error) {
	if !b.client.deadline.After(time.Now()) {
		b.Error("what asks for the body comes after the deadline of the answer before")
	}
	return 0, http.ErrBodyReadAfterClose
}

func (bodyThatAsks) Close() error { return nil }
