package fleet

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// dead is a transport that reaches nobody.
type dead struct{ closed bool }

func (*dead) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}
func (d *dead) CloseIdleConnections() { d.closed = true }

// A fleet that has ended keeps no connection of its transport open.
func TestAFleetClosesItsConnections(t *testing.T) {
	transport := new(dead)
	node := registration.Config{
		OrchestratordURL: "http://orchestratord", HTTPClient: &http.Client{Transport: transport},
	}
	if _, err := Run(t.Context(), Settings{Node: node, Nodes: 1, Connections: 1}, io.Discard); err == nil {
		t.Error("the fleet has run")
	}
	if !transport.closed {
		t.Error("its connections are still open")
	}
}

// A fleet whose certificates cannot be read does not start.
func TestAFleetWithoutItsCertificates(t *testing.T) {
	node := registration.Config{
		OrchestratordURL: "https://orchestratord", TLS: registration.TLS{CAFile: "none.pem"},
	}
	if _, err := Run(t.Context(), Settings{Node: node, Nodes: 1, Connections: 1}, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "none.pem") {
		t.Errorf("error is %v", err)
	}
}
