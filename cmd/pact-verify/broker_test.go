//go:build pact

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

func TestPactsOfABroker(t *testing.T) {
	mock := mocktest.Start(t, mockserver.WithTokens(token)).URL
	for path, want := range map[string]struct {
		status  int
		success bool
	}{
		pact: {0, true},
		edited(t, `"next_heartbeat_ms": 10000`, `"another_field": 1`): {1, false},
	} {
		url, published := startBroker(t, http.StatusOK, path)
		stdout, _ := pactVerify(t, want.status, "--provider-url", mock, "--broker-url", url,
			"--provider-version", "1.2.3", "--provider-branch", "main", "--publish")
		if !strings.Contains(stdout, "pact 0") {
			t.Errorf("the consumer's version is not named:\n%s", stdout)
		}
		for _, culprit := range []string{"FAILED   a heartbeat with one pool", "another_field"} {
			if strings.Contains(stdout, culprit) == want.success {
				t.Errorf("%q is named: %t:\n%s", culprit, !want.success, stdout)
			}
		}
		if len(*published) != 2 {
			t.Fatalf("the broker got %q", *published)
		}
		var body struct {
			Success     bool
			TestResults []any
		}
		if err := json.Unmarshal([]byte((*published)[1]), &body); err != nil {
			t.Fatal(err)
		}
		if body.Success != want.success || len(body.TestResults) != 20 {
			t.Errorf("the broker got %d tests: %v", len(body.TestResults), body.Success)
		}
	}
}

// What goes wrong with one pact, or with the broker, keeps nothing else from being reported.
func TestBrokerThatRefuses(t *testing.T) {
	mock := mocktest.Start(t, mockserver.WithTokens(token)).URL
	undecided := edited(t, "the node is online", "the node is happy")
	url, published := startBroker(t, http.StatusInternalServerError, undecided, pact)
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{
		"--provider-url", mock, "--broker-url", url, "--token", token, "--provider-version", "1.2.3", "--publish",
	}, &stdout, &stderr, func(string) string { return "" })
	if status != 2 || !strings.Contains(stdout.String(), "20 of 30 interactions passed, 0 failed, 1 undecided") ||
		len(*published) != 1 {
		t.Errorf("exit status %d, the broker got %q, stdout:\n%s", status, *published, &stdout)
	}
	for _, want := range []string{`pact 0: "`, `the provider state "the node is happy"`, "/results with 500"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in: %s", want, &stderr)
		}
	}
}

// TestBrokerWithoutTheEnvironment states that there are no credentials, whatever the environment has.
func TestBrokerWithoutTheEnvironment(t *testing.T) {
	env := map[string]string{
		"PACT_BROKER_TOKEN": "t", "PACT_BROKER_USERNAME": "somebody", "PACT_BROKER_PASSWORD": "p",
	}
	for flags, want := range map[string]string{
		"--broker-username=":                 "Bearer t",
		"--broker-token=":                    "Basic c29tZWJvZHk6cA==",
		"--broker-username=nobody":           "Basic bm9ib2R5OnA=",
		"--broker-token= --broker-username=": "",
		"--broker-token= --broker-password=": "",
	} {
		t.Run(flags, func(t *testing.T) {
			var got []string
			broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r.Header.Get("Authorization"))
				w.WriteHeader(http.StatusTeapot)
			}))
			t.Cleanup(broker.Close)
			args := append(strings.Fields(flags), "--provider-url", closedPort(t), "--broker-url", broker.URL)
			run(t.Context(), args, io.Discard, io.Discard, func(name string) string { return env[name] })
			if len(got) != 1 || got[0] != want {
				t.Errorf("the broker got %q, want %q", got, want)
			}
		})
	}
}

// startBroker starts as much of a Pact Broker as is needed. It has some pacts, and
// answers with a status when something is published.
func startBroker(t *testing.T, status int, paths ...string) (url string, published *[]string) {
	t.Helper()
	published = new([]string)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("POST /pacts/provider/orchestratord/for-verification", func(w http.ResponseWriter, _ *http.Request) {
		var pacts []string
		for i := range paths {
			pacts = append(pacts,
				fmt.Sprintf(`{"_links": {"self": {"href": "%s/pacts/%d", "name": "pact %d"}}}`, server.URL, i, i))
		}
		fmt.Fprintf(w, `{"_embedded": {"pacts": [%s]}}`, strings.Join(pacts, ","))
	})
	for i, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		mux.HandleFunc(fmt.Sprintf("GET /pacts/%d", i), func(w http.ResponseWriter, _ *http.Request) {
			links := fmt.Sprintf(`{"_links": {"pb:publish-verification-results": {"href": "%s/results"}},`, server.URL)
			io.WriteString(w, strings.Replace(string(content), "{", links, 1))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*published = append(*published, string(body))
		w.WriteHeader(status)
	})
	return server.URL, published
}

// A pending pact that is not kept warns, and a pact has the name of its consumer's version.
func TestPendingPacts(t *testing.T) {
	mock := mocktest.Start(t, mockserver.WithTokens(token)).URL
	broken := edited(t, `"next_heartbeat_ms": 10000`, `"another_field": 1`)
	content, err := os.ReadFile(shortened(t, broken, "a heartbeat with one pool"))
	if err != nil {
		t.Fatal(err)
	}
	var broker *httptest.Server
	pending := true
	broker = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fmt.Fprintf(w, `{"_embedded": {"pacts": [{"verificationProperties": {"pending": %t},
				"_links": {"self": {"href": "%s/pact"}}}]}}`, pending, broker.URL)
			return
		}
		io.WriteString(w,
			strings.Replace(string(content), "{", `{"_links": {"pb:consumer-version": {"name": "1.2.3"}},`, 1))
	}))
	t.Cleanup(broker.Close)
	args := []string{
		"--provider-url", mock, "--broker-url", broker.URL, "--provider-branch", "main",
		"--enable-pending", "--report", "github",
	}
	const where = " title=pool-managerd%2C version 1.2.3::a heartbeat with one pool%0A"
	if stdout, _ := pactVerify(t, 0, args...); !strings.Contains(stdout, "::warning"+where) {
		t.Errorf("pending:\n%s", stdout)
	}
	pending = false
	if stdout, _ := pactVerify(t, 1, args...); !strings.Contains(stdout, "::error"+where) {
		t.Errorf("not pending:\n%s", stdout)
	}
	args = []string{"--provider-url", mock, "--pact-url", broker.URL + "/pact", "--report", "github"}
	if stdout, _ := pactVerify(t, 1, args...); !strings.Contains(stdout, "::error"+where) {
		t.Errorf("by its URL:\n%s", stdout)
	}
}
