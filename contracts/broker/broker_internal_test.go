package broker

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fake is as much of a broker as is called; it takes one token.
func fake(t *testing.T, published *[]string) *httptest.Server {
	t.Helper()
	var server *httptest.Server
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pacts/provider/orchestratord/for-verification", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ ProviderVersionBranch string }
		if json.NewDecoder(r.Body).Decode(&asked); asked.ProviderVersionBranch != "main" {
			t.Errorf("the branch is %q", asked.ProviderVersionBranch)
		}
		fmt.Fprintf(w, `{"_embedded": {"pacts": [{"_links": {"self": {"href": "%s/pact", "name": "a pact"}}}]}}`,
			server.URL)
	})
	mux.HandleFunc("POST /pacts/provider/nobody/for-verification", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"_embedded": {"pacts": []}}`)
	})
	mux.HandleFunc("GET /pact", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"interactions": [], "_links": {"pb:publish-verification-results": {"href": "%s/results"}}}`,
			server.URL)
	})
	record := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*published = append(*published, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
		w.WriteHeader(http.StatusCreated)
	}
	mux.HandleFunc("POST /results", record)
	mux.HandleFunc("PUT /pacticipants/", record)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestPactsAndTheirResults(t *testing.T) {
	var published []string
	b, err := New(fake(t, &published).URL, Auth{Token: "secret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pacts, err := b.Pacts(t.Context(), "orchestratord", Query{Branch: "main"})
	if err != nil || len(pacts) != 1 || !strings.Contains(string(pacts[0].Content), "interactions") {
		t.Fatalf("the pacts are %v, the error is %v", pacts, err)
	}
	if err := b.Branch(t.Context(), "orchestratord", "feat/x", "1.2.3"); err != nil {
		t.Error(err)
	}
	err = b.Publish(t.Context(), pacts[0],
		Verification{Version: "1.2.3", Success: true, Tests: []Test{{"a list", true}}})
	if err != nil {
		t.Error(err)
	}
	want := []string{
		`PUT /pacticipants/orchestratord/branches/feat%2Fx/versions/1.2.3 {}`,
		`POST /results {"providerApplicationVersion":"1.2.3","success":true,` +
			`"testResults":[{"interactionDescription":"a list","success":true}],` +
			`"verifiedBy":{"implementation":"pact-verify"}}`,
	}
	if got := strings.Join(published, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("published:\n%s", got)
	}
}

func TestNoPacts(t *testing.T) {
	url := fake(t, nil).URL
	for _, test := range []struct{ url, token, provider, want string }{
		{url, "secret", "nobody", "has no pact with nobody"},
		{url, "wrong", "orchestratord", "with 401"},
		{"http://127.0.0.1:1", "secret", "orchestratord", "does not answer"},
	} {
		b, err := New(test.url, Auth{Token: test.token}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Pacts(t.Context(), test.provider, Query{}); err == nil ||
			!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.token) {
			t.Errorf("%s: the error is %v", test.want, err)
		}
	}
	for _, url := range []string{"", "pacts", "https://user:password@pacts", "https://pacts?password@"} {
		if _, err := New(url, Auth{}, nil); err == nil || strings.Contains(err.Error(), "password@") {
			t.Errorf("%q: the error is %v", url, err)
		}
	}
}

// A link that leads elsewhere does not get the token.
func TestTokenStaysWithTheBroker(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went elsewhere")
		}
	}))
	t.Cleanup(elsewhere.Close)
	b, err := New("http://127.0.0.1:1", Auth{Token: "secret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Pact(t.Context(), "http://127.0.0.1:1/pact?a=s3cr3t"); err == nil ||
		strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("the error about a URL with a query is %v", err)
	}
	if err := b.Publish(t.Context(), Pact{results: elsewhere.URL}, Verification{}); err != nil {
		t.Error(err)
	}
}

// Whoever answers with a redirect gets the credentials of no other origin, and no
// answer of another origin is taken for the broker's.
func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was called, with credentials %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	for name, auth := range map[string]Auth{
		"a token": {Token: "secret"}, "a password": {Username: "me", Password: "secret"}, "nothing": {},
	} {
		for path, want := range map[string]string{
			"/elsewhere": "redirects to http://127.0.0.1:",
			"/tls":       "redirects to https://127.0.0.1:",
			"/loop":      "redirects more than 5 times",
			"/here":      "",
		} {
			var authorized string
			broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/elsewhere":
					http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
				case "/tls":
					http.Redirect(w, r, "https://"+r.Host, http.StatusMovedPermanently)
				case "/loop":
					http.Redirect(w, r, "/loop", http.StatusFound)
				case "/here":
					http.Redirect(w, r, "/there", http.StatusFound)
				default:
					authorized = r.Header.Get("Authorization")
					io.WriteString(w, `{}`)
				}
			}))
			b, err := New(broker.URL, auth, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Pact(t.Context(), broker.URL+path)
			switch {
			case want == "" && (err != nil || (authorized == "") != (auth == Auth{})):
				t.Errorf("%s, %s: the credentials are %q, the error %v", name, path, authorized, err)
			case want != "" &&
				(err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")):
				t.Errorf("%s, %s: the error is %v, want %s", name, path, err, want)
			}
			broker.Close()
		}
	}
}

// Results that a redirect would turn into a GET are not lost in silence.
func TestRedirectedResults(t *testing.T) {
	broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/results" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	}))
	t.Cleanup(broker.Close)
	b, err := New(broker.URL, Auth{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Publish(t.Context(), Pact{results: broker.URL + "/results"}, Verification{})
	if err == nil || !strings.Contains(err.Error(), "redirects a POST to a GET") {
		t.Errorf("the error is %v", err)
	}
}

func TestQueryAndNames(t *testing.T) {
	var asked map[string]any
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
			t.Errorf("the name is %q, the password %q", user, password)
		}
		if r.URL.Path == "/pact" {
			io.WriteString(w, `{"consumer": {"name": "nodes"}, "_links": {"pb:consumer-version": {"name": "1.2.3"}}}`)
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		fmt.Fprintf(w,
			`{"_embedded": {"pacts": [{"verificationProperties": {"pending": true}, "_links": {"self": {"href": "%s/`+
				`pact"}}}]}}`, server.URL)
	}))
	t.Cleanup(server.Close)
	b, err := New(server.URL, Auth{Username: "me", Password: "secret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pacts, err := b.Pacts(t.Context(), "orchestratord", Query{
		Branch: "main", Pending: true, WIPSince: "2026-01-31", Selectors: []json.RawMessage{[]byte(`{"latest":true}`)},
	})
	if err != nil || len(pacts) != 1 || pacts[0].Name != "nodes, version 1.2.3" || !pacts[0].Pending {
		t.Errorf("the pacts are %+v, the error is %v", pacts, err)
	}
	text, _ := json.Marshal(asked)
	const want = `{"consumerVersionSelectors":[{"latest":true}],"includePendingStatus":true,` +
		`"includeWipPactsSince":"2026-01-31","providerVersionBranch":"main"}`
	if string(text) != want {
		t.Errorf("it was asked for %s, want %s", text, want)
	}
}
