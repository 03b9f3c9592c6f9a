package pages

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

// referenceFiles show the documents with Swagger UI. Only the assets of its module are used. Its page
// is a template, which makes a program 5 MB larger: the linker cannot tell which methods it calls.
//
//go:embed reference
var referenceFiles embed.FS

// referencePolicy lets the page load its own files and call its own server, and nothing else.
// Swagger UI writes styles into its elements.
const referencePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// wayBack is the link of the page to the dashboard.
const wayBack = `<a href="./" class="back">← Dashboard</a>`

// reference adds the API reference: the page, and the assets that it loads. The page leads to
// the dashboard if there is one.
func reference(page func(path string, handler http.Handler), dashboard bool) {
	content := referenceFile("page.html")
	if !dashboard {
		content = bytes.Replace(content, []byte(wayBack), nil, 1)
	}
	show := text("text/html; charset=utf-8", content)
	page("/docs", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", referencePolicy)
		show.ServeHTTP(w, r)
	}))
	page("/docs/page.css", text("text/css; charset=utf-8", referenceFile("page.css")))
	page("/docs/page.js", text("text/javascript; charset=utf-8", referenceFile("page.js")))

	// Each asset has its route, so that a path to none of them is answered like any
	// other path that leads nowhere.
	assets := onDemand(func() http.Handler { return http.StripPrefix("/docs", statigz.FileServer(static.FS)) })
	files, _ := fs.ReadDir(static.FS, ".") // compiled in, and so there
	for _, file := range files {
		page("/docs/"+strings.TrimSuffix(file.Name(), ".gz"), assets)
	}
}

// referenceFile returns a file of the page. It is compiled in, and so there.
func referenceFile(name string) []byte {
	content, _ := referenceFiles.ReadFile("reference/" + name)
	return content
}
