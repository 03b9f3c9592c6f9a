// Package dashboard serves the page on which people watch the mock orchestratord and make it
// misbehave. The page is made of files that are compiled in, and asks nothing of any other
// server. What it shows it reads from the control API of the server that it came from.
//
//	dashboard.Mount(func(path string, handler http.Handler) { mux.Handle("GET "+path, handler) })
package dashboard

import (
	"embed"
	"net/http"
	"strings"
	"sync"

	"github.com/vearutop/statigz"
)

//go:embed assets
var assets embed.FS

// policy lets the page load its own files and call its own server, and run no script that
// somebody got into it. No other page may show it in a frame, and lure clicks there.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Mount calls page with each path of the dashboard and a handler for its GET and HEAD requests.
// The paths are / for the page, and one path for each file that it loads. All other paths stay
// free. The page holds no secret and needs no token; the control API asks for its own.
func Mount(page func(path string, handler http.Handler)) {
	page("/", files)
	entries, _ := assets.ReadDir(folder) // compiled in, and so there
	for _, entry := range entries {
		if entry.Name() != index {
			page(root+entry.Name(), below(files))
		}
	}
}

// MountTheme does as Mount does for the files by which other pages of the mock look like the
// dashboard, and nothing else.
func MountTheme(page func(path string, handler http.Handler)) {
	for _, name := range []string{"theme.css", "theme.js"} {
		page(root+name, below(files))
	}
}

func below(handler http.Handler) http.Handler {
	return http.StripPrefix(strings.TrimSuffix(root, "/"), handler)
}

const (
	folder = "assets"
	index  = "index.html"
	root   = "/dashboard/"
)

// files serves the files. Browsers revalidate them by ETag, so that no page runs on the scripts of
// another release.
var files = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	compressed().ServeHTTP(w, r)
})

// compressed is made for the first request of a process: tests start many servers.
var compressed = sync.OnceValue(func() http.Handler {
	return statigz.FileServer(assets, statigz.FSPrefix(folder), statigz.EncodeOnInit)
})
