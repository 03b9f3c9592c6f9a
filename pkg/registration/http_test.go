package registration_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A node keeps to one connection whatever the answers look like. That it closes
// the connection when it leaves is seen by the leak check of this package.
func TestOneConnection(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"a good answer": func(w http.ResponseWriter) { w.Write([]byte(well("register").body)) },
		"a long error": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			w.Write([]byte(strings.Repeat("a long story ", 1000)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				answer(w)
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			server.Start()
			defer server.Close()

			c := config(t, nil)
			c.HTTPClient = nil
			c.OrchestratordURL = server.URL
			node := newNode(t, c)
			node.Register(t.Context())
			if err := node.Deregister(t.Context()); err != nil {
				t.Error(err)
			}
			if opened.Load() != 1 {
				t.Errorf("%d connections were opened, want 1", opened.Load())
			}
		})
	}
}

// Instrumentation is often installed by wrapping the default transport.
func TestTheDefaultTransportMayBeWrapped(t *testing.T) {
	plain := http.DefaultTransport
	defer func() { http.DefaultTransport = plain }()
	http.DefaultTransport = &wire{}

	c := config(t, nil)
	c.HTTPClient = nil
	newNode(t, c)
}
