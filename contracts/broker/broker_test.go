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
		fmt.Fprintf(w, `{"_embedded": {"pacts": [{"_links": {"self": {"href": "%s/pact", "name": "a pact"}}}]}}`, server.URL)
	})
	mux.HandleFunc("POST /pacts/provider/nobody/for-verification", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"_embedded": {"pacts": []}}`)
	})
	mux.HandleFunc("GET /pact", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"interactions": [], "_links": {"pb:publish-verification-results": {"href": "%s/results"}}}`, server.URL)
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
	b, err := New(fake(t, &published).URL, "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	pacts, err := b.Pacts(t.Context(), "orchestratord", "main")
	if err != nil || len(pacts) != 1 || !strings.Contains(string(pacts[0].Content), "interactions") {
		t.Fatalf("the pacts are %v, the error is %v", pacts, err)
	}
	if err := b.Branch(t.Context(), "orchestratord", "feat/x", "1.2.3"); err != nil {
		t.Error(err)
	}
	err = b.Publish(t.Context(), pacts[0], Verification{Version: "1.2.3", Success: true, Tests: []Test{{"a list", true}}})
	if err != nil {
		t.Error(err)
	}
	want := []string{
		`PUT /pacticipants/orchestratord/branches/feat%2Fx/versions/1.2.3 {}`,
		`POST /results {"providerApplicationVersion":"1.2.3","success":true,"testResults":[{"interactionDescription":"a list","success":true}],"verifiedBy":{"implementation":"pact-verify"}}`,
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
		b, err := New(test.url, test.token, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Pacts(t.Context(), test.provider, ""); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.token) {
			t.Errorf("%s: the error is %v", test.want, err)
		}
	}
	for _, url := range []string{"", "pacts", "https://user:password@pacts"} {
		if _, err := New(url, "", nil); err == nil || strings.Contains(err.Error(), "password@") {
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
	b, err := New("http://127.0.0.1:1", "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), Pact{results: elsewhere.URL}, Verification{}); err != nil {
		t.Error(err)
	}
}
