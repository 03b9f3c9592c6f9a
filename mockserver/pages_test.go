package mockserver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/openapi"
)

// TestPages asks a server that lets nobody do anything.
func TestPages(t *testing.T) {
	client, server := start(t, mockserver.WithTokens("secret"), mockserver.WithCloudProfile(false))
	for _, test := range []struct{ path, contentType, begin string }{
		{"/healthz", "text/plain; charset=utf-8", "ok"},
		{"/metrics", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "# HELP orchd_"},
		{"/openapi.yaml", "application/yaml", "openapi: 3.0.3\n"},
		{"/openapi.json", "application/json", "{"},
		{"/openapi/nodes.yaml", "application/yaml", "openapi: 3.0.3\n"},
		{"/openapi/mock-control.yaml", "application/yaml", "openapi: 3.0.3\n"},
		{"/docs", "text/html; charset=utf-8", "<!DOCTYPE html>\n"},
		{"/docs/swagger-ui.css", "text/css; charset=utf-8", ""},
		{"/docs/favicon-32x32.png", "image/png", "\x89PNG"},
	} {
		t.Run(test.path, func(t *testing.T) {
			got := fetch(t, http.MethodGet, server.URL+test.path).expect(t, http.StatusOK)
			if got.Header.Get("Content-Type") != test.contentType || !bytes.HasPrefix(got.text, []byte(test.begin)) {
				t.Errorf("GET: %v, %.40q", got.Header, got.text)
			}
			head := fetch(t, http.MethodHead, server.URL+test.path).expect(t, http.StatusOK)
			if head.Header.Get("Content-Type") != test.contentType || len(head.text) != 0 {
				t.Errorf("HEAD: %v, %.40q", head.Header, head.text)
			}
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
				refused := client.do(method, test.path, "").expect(t, http.StatusMethodNotAllowed)
				if allow := refused.Header.Get("Allow"); allow != "GET, HEAD" {
					t.Errorf("%s: Allow is %q", method, allow)
				}
			}
		})
	}
	for _, path := range []string{
		"/docs/", "/docs/none.js", "/docs/swagger-ui.css.gz", "/docs/../docs", "/metrics/x",
		"/openapi",
	} {
		client.do(http.MethodGet, path, "").expect(t, http.StatusNotFound)
	}
}

// TestEntityTags asks again for files that have not changed, as browsers and proxies do.
func TestEntityTags(t *testing.T) {
	client, _ := start(t)
	for _, path := range []string{"/docs/swagger-ui.css", "/dashboard/style.css"} {
		tag := client.fetch(path).expect(t, http.StatusOK).Header.Get("Etag")
		if !regexp.MustCompile(`^"[^"]+"$`).MatchString(tag) {
			t.Errorf("%s: ETag is %s", path, tag)
		}
		if head := fetch(t, http.MethodHead, client.url+path); head.Header.Get("Etag") != "" &&
			head.Header.Get("Etag")[0] != '"' {
			t.Errorf("%s: ETag of HEAD is %s", path, head.Header.Get("Etag"))
		}
		for _, known := range []string{tag, "W/" + tag} {
			again := client.fetch(path, "If-None-Match", known).expect(t, http.StatusNotModified)
			if got := again.Header.Get("Etag"); got != tag || len(again.text) > 0 {
				t.Errorf("%s: ETag is %s, then %s, with %d bytes", path, tag, got, len(again.text))
			}
		}
		client.fetch(path, "If-None-Match", `"another"`).expect(t, http.StatusOK)
	}
}

func TestDocument(t *testing.T) {
	_, server := start(t)
	source := fetch(t, http.MethodGet, server.URL+"/openapi.yaml").expect(t, http.StatusOK).text
	if !bytes.Equal(source, openapi.Nodes) {
		t.Error("the YAML is not the document")
	}
	converted := fetch(t, http.MethodGet, server.URL+"/openapi.json").expect(t, http.StatusOK).text
	if !json.Valid(converted) {
		t.Error("the JSON is none")
	}
	if diff := cmp.Diff(load(t, source), load(t, converted)); diff != "" {
		t.Errorf("the JSON is not the YAML (-YAML +JSON):\n%s", diff)
	}
}

// load returns what a reader of OpenAPI makes of a document.
func load(t *testing.T, document []byte) (contents any) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	text, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	decode(t, text, &contents)
	return contents
}

// TestReference_heavy follows what the page loads and links to, with a dashboard and without: the
// server has it all, and the policy allows no other server and no script in the page.
func TestReference_heavy(t *testing.T) {
	race.Skip(t)
	for name, options := range map[string][]mockserver.Option{
		"dashboard":    nil,
		"no dashboard": {mockserver.WithoutControl()},
	} {
		_, server := start(t, options...)
		page := fetch(t, http.MethodGet, server.URL+"/docs").expect(t, http.StatusOK)
		policy := page.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; ") {
			t.Errorf("%s: Content-Security-Policy is %q", name, policy)
		}
		if back := bytes.Contains(page.text, []byte("← Dashboard")); back != (options == nil) {
			t.Errorf("%s: the page leads to a dashboard: %t", name, back)
		}
		links := regexp.MustCompile(`(?:src|href)="(?:\./)?(.*?)"`).FindAllSubmatch(page.text, -1)
		if len(links) < 10 {
			t.Errorf("%s: the page has only the links %q", name, links)
		}
		for _, link := range links {
			if got := fetch(t, http.MethodGet, server.URL+"/"+string(link[1])).expect(t,
				http.StatusOK); len(got.text) == 0 {
				t.Errorf("%s: %s is empty", name, link[1])
			}
		}
	}
}

// fetch asks for a page, which is none of the document's operations.
func fetch(t *testing.T, method, url string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Correlation-Id", "of-this-request")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if id := response.Header.Values("X-Correlation-Id"); len(id) != 1 || id[0] != "of-this-request" {
		t.Errorf("%s %s: X-Correlation-Id is %q", method, url, id)
	}
	return answer{Response: response, text: text}
}

// TestNothingIsSniffed looks at answers of every kind: of pages, both APIs, refusals, and
// questions of browsers.
func TestNothingIsSniffed(t *testing.T) {
	_, server := start(t, mockserver.WithCORS("http://localhost:5173"), mockserver.WithLogger(nil))
	for _, request := range []struct{ method, path, origin string }{
		{http.MethodGet, "/", ""},
		{http.MethodGet, "/healthz", ""},
		{http.MethodGet, "/metrics", ""},
		{http.MethodGet, "/docs/swagger-ui.css", ""},
		{http.MethodGet, "/dashboard/style.css", ""},
		{http.MethodGet, "/v2/nodes", ""},
		{http.MethodPost, "/v2/nodes/register", ""},
		{http.MethodDelete, "/v2/nodes/nobody", ""},
		{http.MethodPut, "/v2/nodes", ""},
		{http.MethodGet, "/nowhere", ""},
		{http.MethodGet, "/__mock", ""},
		{http.MethodGet, "/__mock", "http://example.com"},
		{http.MethodGet, "/__mock/nowhere", ""},
		{http.MethodGet, "/__mock/stream", ""},
		{http.MethodOptions, "/v2/nodes", "http://localhost:5173"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), request.method, server.URL+request.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if request.origin != "" {
			r.Header.Set("Origin", request.origin)
			r.Header.Set("Access-Control-Request-Method", http.MethodGet)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Values("X-Content-Type-Options"); len(got) != 1 || got[0] != "nosniff" {
			t.Errorf("%+v: status %d, X-Content-Type-Options %q", request, response.StatusCode, got)
		}
	}
}
