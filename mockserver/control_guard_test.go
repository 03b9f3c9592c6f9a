package mockserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/internal/race"
	"github.com/llama-orch/node-registration/mockserver"
)

// TestGuard_heavy calls the control API as programs do, and as browsers do for the pages that are
// open in them.
func TestGuard_heavy(t *testing.T) {
	race.Skip(t)
	const post, get = http.MethodPost, http.MethodGet
	host := []mockserver.Option{mockserver.WithControlHosts("Mock.Example")}
	token := []mockserver.Option{mockserver.WithControlToken("secret")}
	origins := []mockserver.Option{mockserver.WithCORS("http://tool.example:5173")}
	everyone := []mockserver.Option{mockserver.WithCORS("*")}
	for _, test := range []struct {
		name    string
		options []mockserver.Option
		method  string
		host    string // the server's address if empty
		header  []string
		allowed bool
	}{
		{name: "program", method: post, allowed: true},
		{name: "program that reads", method: get, allowed: true},
		{
			name: "own page", method: post,
			header: []string{"Origin", "http://{host}", "Sec-Fetch-Site", "same-origin"}, allowed: true,
		},
		{name: "own page that reads", method: get, header: []string{"Sec-Fetch-Site", "same-origin"}, allowed: true},
		{name: "own page in an old browser", method: post, header: []string{"Origin", "http://{host}"}, allowed: true},
		{
			name: "typed by hand", method: get,
			header:  []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
			allowed: true,
		},
		{
			name: "link on a foreign page", method: get,
			header: []string{
				"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest",
				"document",
			}, allowed: true,
		},
		{
			name: "frame in a foreign page", method: get,
			header: []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"},
		},
		{
			name: "form on a foreign page, without an origin", method: post,
			header: []string{
				"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document",
			},
		},
		{
			name: "form on a foreign page", method: post,
			header: []string{
				"Origin", "http://stray.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate",
				"Sec-Fetch-Dest", "document", "Content-Type", "application/x-www-form-urlencoded",
			},
		},
		{
			name: "form in an old browser", method: post,
			header: []string{"Origin", "http://stray.example", "Content-Type", "text/plain"},
		},
		{
			name: "script of a foreign page", method: get,
			header: []string{
				"Origin", "http://stray.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors",
			},
		},
		{name: "script in an old browser", method: get, header: []string{"Origin", "http://stray.example"}},
		{
			name: "picture in a foreign page", method: get,
			header: []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"},
		},
		{
			name: "page of another port", method: get,
			header: []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"},
		},
		{name: "page without an origin", method: post, header: []string{"Origin", "null"}},
		{name: "page without an origin that reads", method: get, header: []string{"Origin", "null"}},
		{
			name: "page that claims to navigate", method: get,
			header: []string{
				"Origin", "http://stray.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate",
				"Sec-Fetch-Dest", "document",
			},
		},

		{name: "rebound name", method: get, host: "rebound.example:8080"},
		{
			name: "rebound name, own page", method: post, host: "rebound.example",
			header: []string{"Origin", "http://rebound.example", "Sec-Fetch-Site", "same-origin"},
		},
		{name: "name that begins well", method: get, host: "localhost.rebound.example"},
		{name: "name that looks like an address", method: get, host: "127.0.0.1.rebound.example"},
		{name: "localhost", method: post, host: "localhost:8080", allowed: true},
		{name: "LOCALHOST.", method: get, host: "LOCALHOST.", allowed: true},
		{name: "name below localhost", method: get, host: "mock.localhost", allowed: true},
		{name: "IPv6", method: get, host: "[::1]:8080", allowed: true},
		{name: "IPv6 without a port", method: get, host: "[::1]", allowed: true},
		{name: "another address", method: get, host: "192.168.1.1", allowed: true},
		{name: "given name", options: host, method: get, host: "mock.example:80", allowed: true},
		{name: "given name in capitals", options: host, method: get, host: "MOCK.Example.", allowed: true},
		{name: "not the given name", options: host, method: get, host: "a.mock.example"},
		{
			name: "given name, foreign page", options: host, method: post, host: "mock.example",
			header: []string{"Origin", "http://stray.example"},
		},

		{
			name: "token", options: token, method: get, host: "any.example",
			header: []string{"Authorization", "Bearer secret"}, allowed: true,
		},
		{
			name: "token from a foreign page", options: token, method: post,
			header: []string{"Authorization", "Bearer secret", "Origin", "http://stray.example"},
		},
		{
			name: "page that may", options: origins, method: post,
			header: []string{"Origin", "http://tool.example:5173", "Sec-Fetch-Site", "cross-site"}, allowed: true,
		},
		{
			name: "page that may read", options: origins, method: get,
			header: []string{"Origin", "http://tool.example:5173", "Sec-Fetch-Site", "cross-site"}, allowed: true,
		},
		{
			name: "page that may not", options: origins, method: post,
			header: []string{"Origin", "http://tool.example", "Sec-Fetch-Site", "cross-site"},
		},
		{
			name: "page where all may use the rest", options: everyone, method: post,
			header: []string{"Origin", "http://stray.example", "Sec-Fetch-Site", "cross-site"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, _ := start(t, test.options...)
			path := map[string]string{get: "/__mock", post: "/__mock/reset"}[test.method]
			request := client.request(test.method, path, "")
			for i := 0; i < len(test.header); i += 2 {
				request.Header.Set(test.header[i], strings.ReplaceAll(test.header[i+1], "{host}", request.Host))
			}
			if test.host != "" {
				request.Host = test.host
			}
			got := client.send(request)
			if allowed := got.StatusCode < 300; allowed != test.allowed {
				t.Errorf("status %d: %s", got.StatusCode, got.text)
			}
			if !test.allowed && got.problem(t).Code != "forbidden" {
				t.Errorf("status %d: %s", got.StatusCode, got.text)
			}
		})
	}
}

// TestGuardedPaths sends what a foreign page might to whatever is beside the calls of
// nodes and the pages for people.
func TestGuardedPaths(t *testing.T) {
	client, _ := start(t)
	for path, status := range map[string]int{
		"/":                http.StatusForbidden,
		"/__mock":          http.StatusForbidden,
		"/__mock/":         http.StatusForbidden,
		"/__mock/stream":   http.StatusForbidden,
		"/__mock/nothing":  http.StatusForbidden,
		"/__mock/reset":    http.StatusForbidden, // before 405
		"/%5f_mock":        http.StatusForbidden,
		"/__mockingbird":   http.StatusNotFound,
		"//__mock":         http.StatusNotFound,
		"/v2/nodes":        http.StatusForbidden,
		"/metrics":         http.StatusForbidden,
		"/v1/nodes":        http.StatusNotFound,
		"/healthz":         http.StatusOK,
		"/v2/../__mock":    http.StatusNotFound,
		"/__mock/../v2/":   http.StatusForbidden,
		"/__mock%2fnodes":  http.StatusForbidden,
		"/__mock/%2e%2e/x": http.StatusForbidden,
	} {
		got := client.fetch(path, "Origin", "http://stray.example")
		if got.StatusCode != status {
			t.Errorf("%s: status %d, want %d: %.100s", path, got.StatusCode, status, got.text)
		}
	}
}

func TestControlToken(t *testing.T) {
	client, _ := start(t, mockserver.WithTokens("of-nodes"), mockserver.WithControlToken("of-control"))
	for authorization, status := range map[string]int{
		"":                  http.StatusUnauthorized,
		"Bearer of-nodes":   http.StatusUnauthorized,
		"Bearer of-contro":  http.StatusUnauthorized,
		"Bearer":            http.StatusUnauthorized,
		"Basic of-control":  http.StatusUnauthorized,
		"Bearer of-control": http.StatusOK,
		"bearer of-control": http.StatusOK,
	} {
		got := client.do("GET", "/__mock/settings", "", "Authorization", authorization).expect(t, status)
		if challenge := got.Header.Get("WWW-Authenticate"); status == http.StatusUnauthorized &&
			!strings.HasPrefix(challenge, `Bearer realm="mock-control"`) {
			t.Errorf("%q: WWW-Authenticate is %q", authorization, challenge)
		}
	}
	client.do("GET", "/v2/nodes", "", "Authorization", "Bearer of-control").expect(t, http.StatusUnauthorized)
	client.do("PATCH", "/__mock/settings", `{"tokens": ["a", "of-control"]}`, "Content-Type", "application/json",
		"Authorization", "Bearer of-control").
		expect(t, http.StatusUnprocessableEntity)
	if _, err := mockserver.New(mockserver.WithTokens("same"), mockserver.WithControlToken("same")); err == nil {
		t.Error("nodes may have the control token")
	}
}

func TestWithoutControl(t *testing.T) {
	client, server := start(t, mockserver.WithoutControl())
	if path, there := server.ControlPath(), newServer(t).ControlPath(); path != "" || there != "/__mock" {
		t.Errorf("without a control API it is said to be at %q, with one at %q", path, there)
	}
	client.docs = client.docs[:1] // of the node API
	for _, path := range []string{"/", "/__mock", "/__mock/nodes", "/__mock/stream"} {
		client.do("GET", path, "").expect(t, http.StatusNotFound)
	}
	client.register(briefRegistration).expect(t, http.StatusOK)
}

// TestGuesses sends wrong control tokens. The first few are answered at once, the others
// one a second; a right one from there waits likewise, one from elsewhere does not.
func TestGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New(mockserver.WithControlToken("right"))
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		expect := func(address, token string, status int, took time.Duration) {
			t.Helper()
			if s, d := guess(mock, address, token); s != status || d != took {
				t.Errorf("%s from %s: status %d after %s, want %d after %s", token, address, s, d, status, took)
			}
		}
		for range 100 {
			expect("192.0.2.1:1", "right", http.StatusOK, 0)
		}
		for range 10 {
			expect("192.0.2.1:1", "wrong", http.StatusUnauthorized, 0)
		}
		expect("192.0.2.1:2", "wrong", http.StatusUnauthorized, time.Second)
		expect("192.0.2.1:3", "right", http.StatusOK, time.Second)
		expect("192.0.2.2:3", "right", http.StatusOK, 0)

		refused := make(chan bool)
		for range 100 {
			go func() {
				status, _ := guess(mock, "192.0.2.1:1", "wrong")
				refused <- status == http.StatusTooManyRequests
			}()
		}
		count := 0
		for range 100 {
			if <-refused {
				count++
			}
		}
		if count != 94 {
			t.Errorf("of 100 at once, %d are refused, want all but those that wait for 0 to 5 s", count)
		}
		time.Sleep(time.Minute)
		expect("192.0.2.1:1", "right", http.StatusOK, 0)
	})
}

// TestGuessesAreForgotten has so many guess that the first makes room for others. It is answered at once again.
func TestGuessesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New(mockserver.WithControlToken("right"))
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		const first, most = "192.0.2.1:1", 1000
		for range 10 {
			guess(mock, first, "wrong")
		}
		for i := range most {
			guess(mock, fmt.Sprint("[2001:db8::", i, "]:1"), "wrong")
		}
		if status, took := guess(mock, first, "wrong"); status != http.StatusUnauthorized || took > 0 {
			t.Errorf("status %d after %s", status, took)
		}
	})
}

// guess asks for something of the control API, and returns how long the answer took by the clock of the test.
func guess(mock http.Handler, address, token string) (status int, took time.Duration) {
	r := httptest.NewRequest(http.MethodGet, "http://localhost/__mock/clock", nil)
	r.RemoteAddr = address
	r.Header.Set("Authorization", "Bearer "+token)
	answer, began := httptest.NewRecorder(), time.Now()
	mock.ServeHTTP(answer, r)
	return answer.Code, time.Since(began)
}
