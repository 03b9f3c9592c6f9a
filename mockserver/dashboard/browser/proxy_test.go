package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// Below the path under which a proxy has the mock, the page finds its files, the control
// API and the reference, and names the mock by the address that it has there.
func TestBelowAPath(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	mux := http.NewServeMux()
	mux.Handle("/mock/", http.StripPrefix("/mock", proxyTo(t, mock)))
	proxy := httptest.NewServer(mux)
	t.Cleanup(proxy.Close)

	p := open(t, proxy.URL+"/mock/", look{})
	p.waitText("#link", "Live")
	p.waitText("#node-empty", proxy.URL+"/mock/v2/nodes/register")
	post(t, mock.URL+nodeAPI(t, "registerNode"), fitting)
	p.waitText(".node", "gpu-node-1")
	p.do(chromedp.Navigate(proxy.URL + "/mock/docs"))
	p.wait("document.querySelectorAll('.opblock').length > 0")
	for _, button := range []string{
		".opblock-get .opblock-summary-control", ".opblock-get .try-out__btn",
		".opblock-get .execute",
	} {
		p.click(button)
	}
	p.waitText(".live-responses-table", "gpu-node-1")
	p.wait("document.querySelector('.back').href === '" + proxy.URL + "/mock/'")
}

// Until the list of nodes has come, the page does not say that there are none, and a list that comes
// after the filter has changed is not shown below it.
func TestListThatIsSlow(t *testing.T) {
	t.Parallel()
	mock := mocktest.Start(t, quiet)
	load(t, mock, ids(2)...)
	asked, listed := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	through := proxyTo(t, mock)
	mux.Handle("/", through)
	mux.HandleFunc("/__mock/nodes", func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
			<-listed
		case <-listed:
		}
		through.ServeHTTP(w, r)
	})
	proxy := httptest.NewServer(mux)
	t.Cleanup(proxy.Close)
	list := sync.OnceFunc(func() { close(listed) })
	t.Cleanup(list)

	p := open(t, proxy.URL, look{})
	p.waitText("#nodes-count", "2")
	<-asked
	if said := eval[string](p, "document.querySelector('#node-empty').innerText"); said != "" {
		t.Errorf("before the list is there, the page says %q", said)
	}
	p.click("#node-glob")
	p.press("-", "2")
	listed <- struct{}{}
	<-asked // for the list below the filter: the other one is there
	if shown := eval[[]string](p, shownNodes); len(shown) > 0 {
		t.Errorf("before the list below the filter is there, the page shows %q", shown)
	}
	list()
	p.waitText(".node", "gpu-node-2")
	if shown := eval[[]string](p, shownNodes); !slices.Equal(shown, []string{"gpu-node-2"}) {
		t.Errorf("below the filter, the page shows %q", shown)
	}
}

// shownNodes has the ids of the nodes that the page shows, once it is drawn.
const shownNodes = `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() =>
	drawn([...document.querySelectorAll('.node-id')].map((e) => e.textContent)))))`

func proxyTo(t *testing.T, mock *mocktest.Server) http.Handler {
	t.Helper()
	target, err := url.Parse(mock.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}
