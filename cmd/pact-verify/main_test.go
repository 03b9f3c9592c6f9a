//go:build pact

package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

const (
	pact  = "../../contracts/pacts/pool-managerd-orchestratord.json"
	token = "the-token-of-this-orchestratord-0123456789"
)

// pactVerify runs the program with the token in its environment, and returns what it
// wrote.
func pactVerify(t *testing.T, wantStatus int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	getenv := func(name string) string { return map[string]string{"LLORCH_API_TOKEN": token + "\n"}[name] }
	status := run(t.Context(), args, &out, &errs, getenv)
	if status != wantStatus {
		t.Fatalf("pact-verify %s: exit status %d, not %d\n%s%s", strings.Join(args, " "), status, wantStatus, &out,
			&errs)
	}
	if strings.Contains(out.String()+errs.String(), token) {
		t.Errorf("the token is in the output:\n%s%s", &out, &errs)
	}
	if status == 2 && (!strings.HasPrefix(errs.String(), "pact-verify: ") || strings.Count(errs.String(), "\n") != 1) {
		t.Errorf("not one line that explains it:\n%s%s", &out, &errs)
	}
	if status == 2 && out.Len() > 0 && !strings.Contains(out.String(), ", 1 undecided") {
		t.Errorf("a report of what is undecided does not say so:\n%s", &out)
	}
	return out.String(), errs.String()
}

// TestConformance_heavy has the pact and the document in one report, with one exit status.
func TestConformance_heavy(t *testing.T) {
	race.Skip(t)
	mock := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithTokens(token))
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" { // which no pact has
			w.WriteHeader(http.StatusForbidden)
			return
		}
		mock.ServeHTTP(w, r)
	}))
	t.Cleanup(broken.Close)
	stdout, _ := pactVerify(t, 1, "--provider-url", broken.URL, "--pact", pact, "--conform", "nodes")
	for _, want := range []string{
		"passed   a heartbeat with one pool\n",
		"passed   lives: what happens to nodes in their lives",
		"; conformance at level nodes, with the seed ",
		"FAILED   registerNode: status with X-Forwarded-For 192.0.2.1, 192.0.2.2: expected 200, got 403\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
}

func TestBrokenContract(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	stdout, stderr := pactVerify(t, 1, "--provider-url", server.URL, "--pact", pact,
		"--report", "human", "--report", "github", "--report", "junit="+filepath.Join(dir, "junit.xml"))
	for _, want := range []string{
		"FAILED   a heartbeat with one pool\n",
		"$: Actual map is missing the following keys: next_heartbeat_ms, success\n",
		"::error title=pool-managerd and orchestratord::a heartbeat with one pool%0A",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s%s", want, stdout, stderr)
		}
	}
	written, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err != nil || !strings.Contains(string(written), "<failure message=") {
		t.Errorf("the error is %v, the JUnit report:\n%s", err, written)
	}
}

// A report that cannot be written keeps no other from being written.
func TestUnwritableFiles(t *testing.T) {
	mock := mocktest.Start(t, mockserver.WithTokens(token)).URL
	missing := filepath.Join(t.TempDir(), "missing")
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{
		"--provider-url", mock, "--pact", pact, "--token", token,
		"--report", "junit=" + missing + "/junit.xml", "--report", "human", "--results", missing + "/results.json",
	}, &stdout, &stderr, func(string) string { return "" })
	if status != 2 || !strings.Contains(stdout.String(), "20 of 29 interactions passed") {
		t.Errorf("exit status %d, stdout:\n%s", status, &stdout)
	}
	for _, file := range []string{"junit.xml", "results.json"} {
		if !strings.Contains(stderr.String(), file) {
			t.Errorf("no %s in: %s", file, &stderr)
		}
	}
}

func TestCannotDecide(t *testing.T) {
	mock := mocktest.Start(t, mockserver.WithTokens(token)).URL
	unknownState := edited(t, "the node is online", "the node is happy")
	noInteractions := filepath.Join(t.TempDir(), "pact.json")
	if err := os.WriteFile(noInteractions,
		[]byte(`{"interactions": [], "metadata": {"pactSpecification": {"version": "4.0"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		want string
		args []string
	}{
		"a closed port": {"got no answer", []string{"--provider-url", closedPort(t), "--pact", pact}},
		"an answer that never came": {
			"the 300ms of --timeout are over",
			[]string{"--provider-url", silent(t), "--pact", pact, "--timeout", "300ms"},
		},
		"an unknown state": {
			`the provider state "the node is happy"`, []string{"--provider-url", mock, "--pact", unknownState},
		},
		"no interactions": {"no interactions", []string{"--provider-url", mock, "--pact", noInteractions}},
		"a device as a pact": {
			"/dev/zero is not a regular file", []string{"--provider-url", mock, "--pact", "/dev/zero"},
		},
		"a pact that is missing": {"missing.json", []string{"--provider-url", mock, "--pact", "missing.json"}},
		"a token with a line break": {
			"cannot carry", []string{"--provider-url", mock, "--pact", pact, "--token", "a-token\nb"},
		},
		"a token of white space": {
			`--token: " \n" is white space alone`, []string{"--provider-url", mock, "--pact", pact, "--token", " \n"},
		},
		"another token": {"401", []string{"--provider-url", mock, "--pact", pact, "--token", "another"}},
		"a broker that is away": {
			"Pact Broker does not answer", []string{"--provider-url", mock, "--broker-url", closedPort(t)},
		},
		"a certificate that is none": {
			"holds no certificate", []string{"--provider-url", mock, "--pact", pact, "--ca-cert", pact},
		},
		"flags that do not go together": {
			"--pact and --broker-url are both set: choose one; --publish needs --provider-version; --enable-pending",
			[]string{"--provider-url", mock, "--pact", pact, "--broker-url", mock, "--publish", "--enable-pending"},
		},
		"a pact twice": {
			"--pact and --pact-url are both set: choose one",
			[]string{"--provider-url", mock, "--pact", pact, "--pact-url", mock + "/pact"},
		},
		"work in progress since no date, which is not pending": {
			`--include-wip-pacts-since needs --enable-pending; --include-wip-pacts-since is "gestern": must be`,
			[]string{
				"--provider-url", mock, "--broker-url", mock, "--provider-branch", "main",
				"--include-wip-pacts-since", "gestern",
			},
		},
		"a format that there is not": {
			`--report is "pdf": there is no such format`,
			[]string{"--provider-url", mock, "--pact", pact, "--report", "pdf"},
		},
		"a link that nobody can follow": {
			`--build-url is "ci/7": lacks its scheme, as in http://ci/7`,
			[]string{"--provider-url", mock, "--pact", pact, "--build-url", "ci/7"},
		},
		"no flags":                 {"--provider-url is missing; --pact or --broker-url is missing", nil},
		"a flag that there is not": {"there is no flag --pacts, perhaps --pact is meant", []string{"--pacts", pact}},
		"an argument": {
			`"more" belongs to no flag`, []string{"--provider-url", mock, "--pact", pact, "more"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr := pactVerify(t, 2, test.args...)
			if !strings.Contains(stderr, test.want) {
				t.Errorf("no %q in: %s", test.want, stderr)
			}
		})
	}
}

// A token on the command line comes before whatever name the environment has for the broker.
func TestTokenComesBeforeTheEnvironment(t *testing.T) {
	var out, errs bytes.Buffer
	args := []string{"--provider-url", closedPort(t), "--broker-url", closedPort(t), "--broker-token", "t"}
	run(t.Context(), args, &out, &errs, func(name string) string {
		return map[string]string{"PACT_BROKER_USERNAME": "somebody"}[name]
	})
	if want := "Pact Broker does not answer"; !strings.Contains(errs.String(), want) {
		t.Errorf("no %q in: %s", want, &errs)
	}
}

// The URL of orchestratord is repeated only if there can be no password in it.
func TestNoPasswordIsReported(t *testing.T) {
	for _, url := range []string{
		"http://user:p4ss@host", "http://user:p4ss%zz@host", "user:p4ss@host",
		"http://host?token=p4ss",
	} {
		for _, flag := range []string{"--provider-url", "--broker-url", "--pact-url", "--build-url"} {
			stdout, stderr := pactVerify(t, 2, "--provider-url", closedPort(t), "--pact", pact, flag, url)
			if strings.Contains(stdout+stderr, "p4ss") {
				t.Errorf("%s %s: %s%s", flag, url, stdout, stderr)
			}
		}
	}
}

// A CI that reads nothing but the report learns that nothing was decided.
func TestUndecidedIsReported(t *testing.T) {
	junit := filepath.Join(t.TempDir(), "junit.xml")
	stdout, _ := pactVerify(t, 2, "--provider-url", closedPort(t), "--pact", pact,
		"--report", "text", "--report", "junit="+junit, "--results", filepath.Join(t.TempDir(), "results.json"))
	if want := "0 of 1 interactions passed, 0 failed, 1 undecided"; !strings.Contains(stdout, want) {
		t.Errorf("no %q in:\n%s", want, stdout)
	}
	written, err := os.ReadFile(junit)
	if err != nil || !strings.Contains(string(written), `failures="0" errors="1"`) {
		t.Errorf("the error is %v, the JUnit report:\n%s", err, written)
	}
}

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

func TestAuthorityOfItsOwn(t *testing.T) {
	mock, err := mockserver.New(mockserver.WithTokens(token))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	server := httptest.NewUnstartedServer(mock)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // one of the handshakes is to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(authority, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	pactVerify(t, 0, "--provider-url", server.URL, "--pact", pact, "--ca-cert", authority)
	_, stderr := pactVerify(t, 2, "--provider-url", server.URL, "--pact", pact)
	if !strings.Contains(stderr, "certificate signed by unknown authority") {
		t.Errorf("stderr: %s", stderr)
	}
}

// What cannot be interrupted holds nobody up for longer than the time that there is.
func TestTimeoutHolds(t *testing.T) {
	unread, stdout := io.Pipe()
	t.Cleanup(func() { unread.Close() }) // so that the writer ends
	var stderr bytes.Buffer
	args := []string{"--provider-url", "http://127.0.0.1:1", "--pact", pact, "--timeout", "1ms"}
	status := run(t.Context(), args, stdout, &stderr, func(string) string { return "" })
	if status != 2 || !strings.Contains(stderr.String(), "the 1ms of --timeout are over") {
		t.Errorf("exit status %d, stderr: %s", status, &stderr)
	}
}

// A provider that makes its connections something else ends the verification.
func TestSwitchingProtocols(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			io.WriteString(connection,
				"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n")
		}
	}))
	t.Cleanup(server.Close)
	_, stderr := pactVerify(t, 2, "--provider-url", server.URL, "--pact", pact)
	if !strings.Contains(stderr, "/v2/nodes was answered 101, and then nothing that HTTP allows") {
		t.Errorf("stderr: %s", stderr)
	}
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

// edited writes a copy of the committed pact with a text replaced, and returns its
// path.
func edited(t *testing.T, old, replacement string) string {
	t.Helper()
	text, err := os.ReadFile(pact)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the pact has no %q", old)
	}
	path := filepath.Join(t.TempDir(), "pact.json")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, replacement)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// closedPort returns the URL of a port on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// silent returns the URL of a server that takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}
