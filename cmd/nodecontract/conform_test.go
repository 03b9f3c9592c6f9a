package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// conform runs nodecontract conform. It keeps a picture out of this folder.
func conform(t *testing.T, wantStatus int, args ...string) (stdout, stderr string) {
	t.Helper()
	picture := filepath.Join(t.TempDir(), "conformance.html")
	return nodecontract(t, wantStatus, append([]string{"conform", "--picture", picture}, args...)...)
}

func TestConform(t *testing.T) {
	const token = "a-token-for-this-test-alone-0123456789"
	mock := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithTokens(token))
	t.Setenv(cli.EnvToken, token+"\n")
	stdout, _ := conform(t, 0, "--provider-url", mock.URL, "--only", "examples,lives", "--report", "text")
	if want := "orchestratord keeps the contract (level nodes, "; !strings.Contains(stdout, want) {
		t.Errorf("no %s in:\n%s", want, stdout)
	}
	stdout, _ = conform(t, 0, "--provider-url", mock.URL, "--only", "examples", "--coverage", "--report", "json")
	if want := `"registerNode"`; !strings.Contains(stdout, want) {
		t.Errorf("no %s in:\n%s", want, stdout)
	}
	if left := mock.Nodes(); len(left) > 0 {
		t.Errorf("%d nodes are left behind", len(left))
	}
}

// TestConformWithoutTheTokenOfTheEnvironment states that there is no token, whatever the environment has.
func TestConformWithoutTheTokenOfTheEnvironment(t *testing.T) {
	const token = "a-token-for-this-test-alone-0123456789"
	mock := mocktest.Start(t, mockserver.WithLogger(nil), mockserver.WithTokens(token))
	t.Setenv(cli.EnvToken, token)
	_, stderr := conform(t, 2, "--provider-url", mock.URL, "--token", "", "--only", "examples")
	if want := "it requires a token"; !strings.Contains(stderr, want) {
		t.Errorf("no %s in:\n%s", want, stderr)
	}
}

func TestConformFindsADeparture(t *testing.T) {
	mock := mocktest.Start(t, mockserver.WithLogger(nil))
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusOK)
			return
		}
		mock.ServeHTTP(w, r)
	})
	stdout, _ := conform(t, 1, "--provider-url", broken, "--only", "lives")
	for _, want := range []string{
		"deregisterNode: status of a node that is registered: expected 204, got 200",
		"curl -i -X DELETE '" + broken,
		"orchestratord departs from the contract",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in:\n%s", want, stdout)
		}
	}
}

// TestConformEndsInOneLine runs against servers that stop a run early. The last line of the
// program says what is wrong, and nothing of a server controls the terminal.
func TestConformEndsInOneLine(t *testing.T) {
	t.Setenv(cli.EnvToken, "")
	mock := mocktest.InMemory(t, mockserver.WithLogger(nil))
	for name, test := range map[string]struct {
		server http.HandlerFunc
		status int
		want   string // within the last line
	}{
		"dead after a while": {after(20, mock, func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}), 1, "the run ended early: orchestratord no longer answers: "},
		"hostile": {
			answer("text/html\u202e", "<h1>\x1b[31mno</h1>"), 1,
			"listNodes: 200 header Content-Type: expected application/json, got ",
		},
		"hostile in JSON": {
			answer("application/json", "{\x1b]0;title\a"), 1, "listNodes: 200 body: expected JSON, got ",
		},
		"compressing": {
			compress(mock), 1, "listNodes: header Content-Encoding: expected none, as the call asked for none, " +
				`got "gzip"; the run ended early: `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := conform(t, test.status, "--provider-url", serve(t, test.server), "--time", "1m")
			lines := strings.Split(strings.TrimSuffix(stdout+stderr, "\n"), "\n")
			if last := lines[len(lines)-1]; !strings.Contains(last, test.want) {
				t.Errorf("the last line is %q, without %q", last, test.want)
			}
			if strings.ContainsAny(stdout+stderr, "\x1b\a\u202e") {
				t.Errorf("the terminal is controlled by %q", stdout+stderr)
			}
		})
	}
}

// after is a server that behaves in another way after some calls.
func after(calls int64, first http.Handler, then http.HandlerFunc) http.HandlerFunc {
	var seen atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1) > calls {
			then(w, r)
			return
		}
		first.ServeHTTP(w, r)
	}
}

func answer(media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, body)
	}
}

// compress compresses the answers of a server, whoever asks.
func compress(server http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		plain := httptest.NewRecorder()
		server.ServeHTTP(plain, r)
		maps.Copy(w.Header(), plain.Header())
		w.Header().Del("Content-Length")
		if plain.Body.Len() == 0 {
			w.WriteHeader(plain.Code)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(plain.Code)
		zip := gzip.NewWriter(w)
		_, _ = plain.Body.WriteTo(zip)
		_ = zip.Close()
	}
}

func TestConformCannotTell(t *testing.T) {
	t.Setenv(cli.EnvToken, "")
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	const url = "http://localhost"
	broken := func(old, replacement string) []string {
		return []string{"--provider-url", url, "--document", changed(t, nodes, old, replacement)}
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a document that is missing": {[]string{"--provider-url", url, "--document", "missing.yaml"}, "missing.yaml"},
		"a document that is none": {
			[]string{"--provider-url", url, "--document", exempt}, "yaml: read the OpenAPI document: line",
		},
		"an answer without a schema": {
			broken("              schema:\n                $ref: \"#/components/schemas/RegisterResponse\"\n", ""),
			"registerNode declares no schema for a body or a header of 200",
		},
		"a request without a schema": {
			broken("            schema:\n              $ref: \"#/components/schemas/RegisterRequest\"\n", ""),
			"registerNode declares no schema for its request",
		},
		"a content type that is null": {
			broken("              schema:\n                $ref: \"#/components/schemas/RegisterResponse\"\n"+
				"              example:\n                success: true\n                message: node registered\n"+
				"                node_id: gpu-node-1\n", ""),
			"#/paths/~1v2~1nodes~1register/post/responses/200/content/application~1json is null",
		},
		"a request without an end": {
			broken(`$ref: "#/components/schemas/RegisterRequest"`, "allOf: [{$ref: "+
				`"#/paths/~1v2~1nodes~1register/post/requestBody/content/application~1json/schema"}]`),
			"is a part of itself",
		},
		"a request without the id of its node": {
			broken("capabilities]\n      properties:\n        node_id:\n"+
				"          $ref: \"#/components/schemas/NodeId\"\n",
				"capabilities]\n      properties:\n        node_id: {type: string}\n"),
			"no id of the node in requests of registerNode",
		},
		"a request that requires itself": {
			broken("      required: [gpu_count, total_vram_mb, cuda_version]\n      properties: &capabilities\n",
				"      required: [parent]\n      properties: &capabilities\n"+
					"        parent: {$ref: \"#/components/schemas/NodeCapabilities\"}\n"),
			"registerNode has no request with an end",
		},
		"a document that unfolds too far": {
			broken("\n  schemas:\n", "\n  schemas:\n"+unfolding()), "makes the document unfold to more than",
		},
		"a status that is no number": {broken(`        "503":`, "        default:"), `declares the status "default"`},
		"no success":                 {broken(`        "204":`, `        "304":`), "declares 0 statuses of success"},
		"two ways to succeed":        {broken(`        "404":`, `        "202":`), "declares 2 statuses of success"},
		"an operation less":          {broken("operationId: listNodes", "operationId: list"), "no operation listNodes"},
		"a document without components": {
			[]string{"--provider-url", url, "--document", written(t, "inline.yaml",
				"openapi: 3.0.3\ninfo: {title: Nothing, version: \"1\"}\npaths: {}\n")},
			"no operation registerNode",
		},
		"nobody there": {[]string{"--provider-url", "http://" + dead.Addr().String()}, "got no answer"},
		"one who never answers": {
			[]string{"--provider-url", serve(t, hang), "--time", "100ms"}, "got no answer: the time of 100ms is over",
		},
		"an answer without end": {[]string{"--provider-url", serve(t, endless)}, "nodecontract: "},
		"another protocol":      {[]string{"--provider-url", serve(t, status(101))}, "it switches to another protocol"},
		"another place":         {[]string{"--provider-url", serve(t, status(308))}, "it redirects"},
		"a token is required":   {[]string{"--provider-url", serve(t, status(401))}, "it requires a token"},
		"not ready":             {[]string{"--provider-url", serve(t, status(503))}, "it is not ready"},
		"no orchestratord":      {[]string{"--provider-url", serve(t, status(404))}, "is this the base URL"},
		"no URL":                {nil, "--provider-url is missing; see nodecontract conform --help"},
		"a URL with a query":    {[]string{"--provider-url", "http://localhost?a=b"}, "has a query or a fragment"},
		"not an http URL":       {[]string{"--provider-url", "ftp://localhost"}, "must be an http or https URL"},
		"an unknown check": {
			[]string{"--provider-url", "http://localhost", "--only", "all"}, `unknown check "all"`,
		},
		"an unknown level": {
			[]string{"--provider-url", "http://localhost", "--level", "all"}, `unknown level "all"`,
		},
		"a missing authority": {
			[]string{"--provider-url", "https://localhost", "--ca-cert", "missing.pem"}, "missing.pem",
		},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := conform(t, 2, test.args...)
			if stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.want) {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

// unfolding returns a chain of schemas. Each has the next one twice.
func unfolding() (schemas string) {
	for i := range 24 {
		next := fmt.Sprintf(`{$ref: "#/components/schemas/S%d"}`, i+1)
		schemas += fmt.Sprintf("    S%d: {allOf: [%s, %s]}\n", i, next, next)
	}
	return schemas + "    S24: {type: object}\n"
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if code == http.StatusSwitchingProtocols {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "other")
		}
		w.WriteHeader(code)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// endless answers with white space for ever.
func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, strings.Repeat(" ", 1<<20))
	}
}
