//go:build pact

package consumer_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"testing"

	"github.com/pact-foundation/pact-go/v2/consumer"
	pactlog "github.com/pact-foundation/pact-go/v2/log"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"

	"github.com/llama-orch/node-registration/contracts/internal/libpact"
)

const (
	pactConsumer = "pool-managerd"
	pactProvider = "orchestratord"

	nodeID     = "pact-node-1" // not the name of a real node: a verification removes it
	machineID  = "pact-machine-1"
	address    = "http://192.0.2.10:9200" // of the block for documentation, RFC 5737
	token      = "a-token-that-is-valid-0123456789"
	wrongToken = "a-token-that-is-not-valid"
)

// TestPact drives the whole pact. The parts share one directory, which is why they
// are parts: Pact merges what it finds there, and it has to be all that there is.
func TestPact(t *testing.T) {
	if err := libpact.DoNotTrack(); err != nil {
		t.Fatal(err)
	}
	p := pact{dir: t.TempDir()}
	parts := []struct {
		name  string
		drive func(*testing.T, pact)
	}{
		{"register", driveRegister},
		{"heartbeat", driveHeartbeat},
		{"deregister", driveDeregister},
		{"list", driveList},
		{"any node", driveAnyNode},
	}
	driven := 0
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			part.drive(t, p)
			driven++
		})
	}
	switch {
	case t.Failed():
	case driven < len(parts):
		t.Skip("the committed pact was not looked at: not all of the pact was driven")
	default:
		compare(t, p.written(t))
	}
}

// exchange is one request of a node, and the answer that it counts on.
type exchange struct {
	what     string // distinguishes it from all others
	given    []models.ProviderState
	request  consumer.Request
	response consumer.Response
}

// pact is the pact in the making.
type pact struct {
	dir string
}

// play answers the client as the exchanges say, and fails unless it makes exactly
// their requests. Exchanges that went well are in the pact. After a failure it plays no
// more, since a client that goes wrong may do so each time, and only after a while.
func (p pact) play(t *testing.T, drive func(t *testing.T, url string), exchanges ...exchange) {
	t.Helper()
	if t.Failed() {
		return
	}
	orchestratord, err := consumer.NewV4Pact(consumer.MockHTTPProviderConfig{
		Consumer: pactConsumer,
		Provider: pactProvider,
		PactDir:  p.dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exchanges {
		interaction := orchestratord.AddInteraction().UponReceiving(e.what)
		for _, state := range e.given {
			interaction.GivenWithParameter(state)
		}
		interaction.WithCompleteRequest(e.request).WithCompleteResponse(e.response)
	}
	last := exchanges[len(exchanges)-1].what
	err = orchestratord.ExecuteTest(t, func(server consumer.MockServerConfig) error {
		// In a test of its own, so that Pact reports what it missed even when that fails.
		t.Run(last, func(t *testing.T) {
			drive(t, fmt.Sprintf("http://%s:%d", server.Host, server.Port))
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMain(m *testing.M) {
	// Pact logs at length what it does; the tests report what goes wrong.
	if err := pactlog.SetLogLevel("ERROR"); err != nil {
		log.Println(err)
	}
	log.SetOutput(io.Discard)
	m.Run()
}

// What has to hold before a request, by the names that package provider knows.

func theNode(state string) []models.ProviderState {
	return []models.ProviderState{{Name: state, Parameters: map[string]any{"node": nodeID}}}
}

func unregistered() []models.ProviderState { return theNode("the node is not registered") }
func registered() []models.ProviderState   { return theNode("the node is registered") }
func online() []models.ProviderState       { return theNode("the node is online") }

// request returns a request that carries a token.
func request(method, path string, body any) consumer.Request {
	return consumer.Request{
		Method:  method,
		Path:    matchers.S(path),
		Headers: bearer(token),
		Body:    body,
	}
}

func bearer(token string) matchers.MapMatcher {
	return matchers.MapMatcher{"Authorization": matchers.S("Bearer " + token)}
}

// refusal is an answer that any request can get. The client understands it by its
// status, and by how long it is asked to wait.
type refusal struct {
	when     string
	given    string
	token    string
	response consumer.Response
}

// refusals are what orchestratord may answer instead. Of a 503 no Retry-After is
// demanded, since the orchestratord in service sends none and the client then goes
// by its own backoff; one that counts requests knows when it will take more.
func refusals() []refusal {
	return []refusal{
		{
			"with a token that is not valid", "the token is not valid", wrongToken,
			consumer.Response{Status: http.StatusUnauthorized},
		},
		{
			"while the cloud profile is off", "the cloud profile is switched off", token,
			consumer.Response{Status: http.StatusServiceUnavailable},
		},
		{"while there are too many requests", "there are too many requests", token, consumer.Response{
			Status:  http.StatusTooManyRequests,
			Headers: matchers.MapMatcher{"Retry-After": matchers.Term("30", `\d+`)},
		}},
	}
}

// state returns what has to hold. A verifier that does not know the node or the token of
// the request finds it there; a list names no node.
func (r refusal) state(request consumer.Request) models.ProviderState {
	parameters := map[string]any{}
	if request.Method != http.MethodGet {
		parameters["node"] = nodeID
	}
	if r.token == wrongToken {
		parameters["token"] = r.token
	}
	return models.ProviderState{Name: r.given, Parameters: parameters}
}

// of returns the exchange in which a request, made by the token of the refusal,
// gets it.
func (r refusal) of(what string, request consumer.Request) exchange {
	request.Headers = bearer(r.token)
	return exchange{
		what:     what + " " + r.when,
		given:    []models.ProviderState{r.state(request)},
		request:  request,
		response: r.response,
	}
}
