//go:build pact

package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// A report that can no longer be written at the end keeps no other from being written.
func TestUnwritableFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if err := os.Mkdir(missing, 0o700); err != nil {
		t.Fatal(err)
	}
	mock := mocktest.Start(t, mockserver.WithTokens(token))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		os.Remove(missing)
		mock.ServeHTTP(w, r)
	}))
	defer server.Close()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{
		"--provider-url", server.URL, "--pact", pact, "--token", token,
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
