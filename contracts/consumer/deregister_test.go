//go:build pact

package consumer_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/pact-foundation/pact-go/v2/consumer"

	"github.com/llama-orch/node-registration/pkg/registration"
)

func deregister() consumer.Request {
	return request(http.MethodDelete, "/v2/nodes/"+nodeID, nil)
}

func driveDeregister(t *testing.T, p pact) {
	// A node deregisters only if it may be on record.
	leaves := func(t *testing.T, url string) {
		n := newNode(t, url)
		if err := errors.Join(n.register(), n.Deregister(t.Context())); err != nil {
			t.Error(err)
		}
	}
	p.play(t, leaves, newcomer(), exchange{
		"a deregistration", registered(), deregister(), consumer.Response{Status: http.StatusNoContent},
	})
	// A node that is gone already has what it wants.
	p.play(t, leaves, newcomer(), exchange{
		"a deregistration of a node that is not registered", unregistered(), deregister(),
		consumer.Response{Status: http.StatusNotFound},
	})
	for _, refused := range refusals() {
		p.play(t, func(t *testing.T, url string) {
			n := newNode(t, url, func(c *registration.Config) {
				c.APIToken = rotatesTo(refused.token)
				c.ShutdownTimeout = 30 * time.Second
				c.HTTPClient = &http.Client{Transport: discouraging{}}
			})
			if err := n.register(); err != nil {
				t.Fatal(err)
			}
			refusedBy(t, n.Deregister(t.Context()), refused)
		}, newcomer(), refused.of("a deregistration", deregister()))
	}
}

// discouraging asks those who are refused to wait for longer than a node has to leave,
// so that it gives up after the first answer, however long that takes.
type discouraging struct{}

func (discouraging) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && answer.StatusCode >= 400 && answer.Header.Get("Retry-After") == "" {
		answer.Header.Set("Retry-After", "60")
	}
	return answer, err
}
