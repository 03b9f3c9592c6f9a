package dashboard_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/dashboard"
)

func mounted() *http.ServeMux {
	mux := http.NewServeMux()
	dashboard.Mount(func(path string, handler http.Handler) {
		if path == "/" {
			path = "/{$}" // and nothing below it
		}
		mux.Handle("GET "+path, handler)
	})
	return mux
}

func get(handler http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer
}

// The page and all that it loads come from this server, under a policy that lets in
// nothing else.
func TestFiles(t *testing.T) {
	mux := mounted()
	links := regexp.MustCompile(`(?m)(?:src=|href=|^import .* from )["'](\./)?([\w./]+)["']`)
	todo, seen := []string{"/"}, map[string]bool{"/docs": true, "/metrics": true}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		answer := get(mux, path)
		if answer.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, answer.Code)
		}
		policy := answer.Header().Get("Content-Security-Policy")
		for _, part := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'",
			"connect-src 'self'", "frame-ancestors 'none'",
		} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q lacks %q", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if got := answer.Header().Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options is %q", path, got)
		}
		for _, link := range links.FindAllStringSubmatch(answer.Body.String(), -1) {
			if strings.HasPrefix(link[2], "/") {
				t.Errorf("%s: %s leads out of the path that a proxy may have the page below", path, link[2])
			}
			todo = append(todo, cmp.Or(strings.Replace(link[1], "./", "/dashboard/", 1), "/")+link[2])
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d files: %v", len(seen), seen)
	}
}

func TestFilesAreCompressedAndCached(t *testing.T) {
	mux := mounted()
	packed := get(mux, "/dashboard/style.css", "Accept-Encoding", "gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" {
		t.Error("not compressed")
	}
	tag := packed.Header().Get("Etag")
	if again := get(mux, "/dashboard/style.css", "Accept-Encoding", "gzip", "If-None-Match",
		tag); again.Code != http.StatusNotModified {
		t.Errorf("with its ETag %q: status %d", tag, again.Code)
	}
	for _, path := range []string{
		"/dashboard/", "/dashboard/nothing.js", "/dashboard/../dashboard.go",
		"/dashboard/index.html",
	} {
		if answer := get(mux, path); answer.Code == http.StatusOK {
			t.Errorf("%s is there", path)
		}
	}
}
