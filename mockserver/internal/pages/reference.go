package pages

import (
	_ "embed"
	"io/fs"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

// referencePage shows the documents with Swagger UI. Of the module that has it, only the
// assets are used: its page is a template, and a program with templates in it is 5 MB
// larger, because the linker cannot tell which methods they call.
//
//go:embed reference.html
var referencePage []byte

// reference adds the API reference: the page, and the assets that it loads.
func reference(page func(path string, handler http.Handler)) {
	// Whatever the assets do, the browser asks no other server for anything.
	const policy = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
	show := text("text/html; charset=utf-8", referencePage)
	page("/docs", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		show.ServeHTTP(w, r)
	}))

	// Each asset has its route, so that a path to none of them is answered like any
	// other path that leads nowhere.
	assets := onDemand(func() http.Handler { return http.StripPrefix("/docs", statigz.FileServer(static.FS)) })
	files, _ := fs.ReadDir(static.FS, ".") // compiled in, and so there
	for _, file := range files {
		page("/docs/"+strings.TrimSuffix(file.Name(), ".gz"), assets)
	}
}
