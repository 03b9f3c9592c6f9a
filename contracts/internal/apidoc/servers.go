package apidoc

import (
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Servers returns the servers of an operation: its own, or those of its path, or those of
// the document.
func Servers(api *openapi3.T, item *openapi3.PathItem, operation *openapi3.Operation) openapi3.Servers {
	switch {
	case operation.Servers != nil && len(*operation.Servers) > 0:
		return *operation.Servers
	case len(item.Servers) > 0:
		return item.Servers
	}
	return api.Servers
}

// CutPath splits the URL of a server before its path. Variables in the path have
// their defaults. A variable that stands for the beginning of the URL may bring a path.
func CutPath(server *openapi3.Server) (host, path string) {
	host, path = server.URL, ""
	start := 0 // of the host
	if scheme, _, found := strings.Cut(host, "//"); found {
		start = len(scheme) + len("//")
	}
	if slash := strings.IndexByte(host[start:], '/'); slash >= 0 {
		host, path = host[:start+slash], host[start+slash:]
	} else if start == 0 && !strings.HasPrefix(host, "{") {
		host, path = "", "/"+host // relative to the document
	}
	if variable := leading(server); variable != nil && strings.Contains(variable.Default, "//") {
		_, begin := CutPath(&openapi3.Server{URL: variable.Default})
		path = begin + path
	}
	for name, variable := range server.Variables {
		path = strings.ReplaceAll(path, "{"+name+"}", variable.Default)
	}
	return host, strings.TrimRight(path, "/")
}

// leading returns the variable that the URL of a server begins with; nil where there is none.
func leading(server *openapi3.Server) *openapi3.ServerVariable {
	rest, found := strings.CutPrefix(server.URL, "{")
	if !found {
		return nil
	}
	name, _, _ := strings.Cut(rest, "}")
	return server.Variables[name]
}
