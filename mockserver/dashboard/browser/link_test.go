package browser_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	const token = "a-control-token"
	mock := mocktest.Start(t, quiet, mockserver.WithControlToken(token))
	p := open(t, mock.URL, look{})
	p.wait("document.querySelector('#signin').open && document.activeElement.id === 'signin-token'")
	p.press(escape) // without a token there is nothing to see
	p.wait("document.querySelector('#signin').open")
	p.press("w", "r", "o", "n", "g", "\r")
	p.waitText("#signin-wrong", "does not know this token")
	for _, key := range token {
		p.press(string(key))
	}
	p.press("\r")
	p.waitText("#link", "Live")
	p.do(chromedp.Reload())
	p.waitText("#link", "Live")
	if eval[bool](p, "document.querySelector('#signin').open || localStorage.length > 0") {
		t.Error("the token is asked for again, or kept for longer than the tab")
	}

	link := open(t, mock.URL+"/#token="+token, look{})
	link.waitText("#link", "Live")
	if address := eval[string](link, "location.href"); address != mock.URL+"/" {
		t.Errorf("the address is %s: the token stays in it", address)
	}
}

// A token that no header can carry is not taken for a mock that is away.
func TestTokenThatCannotBeSent(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet, mockserver.WithControlToken("a-control-token"))
	p := open(t, mock.URL+"/#token=%E2%80%9Ctoken%E2%80%9D", look{})
	p.waitText("#signin-wrong", "does not know this token")
}

// Where the browser keeps nothing for the page, the page works all the same.
func TestStorageIsForbidden(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet, mockserver.WithControlToken("a-control-token"))
	p := open(t, "about:blank", look{})
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('forbidden', ` +
			`'SecurityError'); } })`,
	})
	p.do(chromedp.Navigate(mock.URL))
	p.wait("document.querySelector('#signin').open")
	for _, key := range "a-control-token" {
		p.press(string(key))
	}
	p.press("\r")
	p.waitText("#link", "Live")
}

// The page shows what it cannot load because the mock refuses it.
func TestRefusalIsShown(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/__mock/drift" {
			mock.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"detail":"the drift is lost"}`)
	}))
	t.Cleanup(server.Close)
	p := open(t, server.URL, look{})
	p.waitText("#alerts", "the drift is lost")
	p.waitText("#link", "Live")
}

// The page says when the mock is away, and is up to date again as soon as one is back.
func TestMockGoesAndComesBack(t *testing.T) {
	t.Parallel()
	first := serve(t, "127.0.0.1:0")
	p := open(t, first.URL, look{})
	p.waitText("#link", "Live")
	post(t, first.URL+nodeAPI(t, "registerNode"), fitting)
	p.waitText(".node", "gpu-node-1")
	address := first.Listener.Addr().String()
	first.CloseClientConnections()
	first.Close()
	p.waitText("#link", "Mock out of reach")

	serve(t, address)
	p.waitText("#link", "Live")
	p.waitText("#node-empty", "No node has registered yet")
	post(t, "http://"+address+nodeAPI(t, "registerNode"), fitting)
	p.waitText(".node", "gpu-node-1")
}

// serve serves a mock of its own at an address.
func serve(t *testing.T, address string) *httptest.Server {
	t.Helper()
	mock, err := mockserver.New()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mock}}
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(mock.Close)
	return server
}
