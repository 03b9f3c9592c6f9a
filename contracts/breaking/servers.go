package breaking

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/llama-orch/node-registration/contracts/internal/apidoc"
)

// moveServers moves the path of each server into the paths of its operations, and gives
// each operation the remaining servers. A prefix then counts the same wherever it is
// written. oasdiff does not compare servers. It returns the prefix of each operation.
func moveServers(api *openapi3.T) map[part]string {
	prefixes := map[part]string{}
	moved := openapi3.NewPaths()
	moved.Extensions, moved.Origin = api.Paths.Extensions, api.Paths.Origin
	for _, template := range api.Paths.InMatchingOrder() {
		item := api.Paths.Value(template)
		for method, operation := range item.Operations() {
			prefix, servers := split(apidoc.Servers(api, item, operation))
			operation.Servers = &servers
			put(moved, prefix+template, method, item, operation)
			prefixes[part{method: method, path: prefix + template}] = prefix
		}
	}
	api.Paths = moved
	api.Servers = nil
	return prefixes
}

// split removes the path that all servers share, and returns it. Servers whose paths
// differ keep them.
func split(servers openapi3.Servers) (prefix string, rest openapi3.Servers) {
	for i, server := range servers {
		host, path := apidoc.CutPath(server)
		if i > 0 && path != prefix {
			return "", servers
		}
		prefix = path
		rest = append(rest, &openapi3.Server{URL: host, Variables: server.Variables, Origin: server.Origin})
	}
	return prefix, rest
}

// places returns where a server may be, one entry for each value that the document lists for
// its variables. A variable without a list stands for any host.
func places(server *openapi3.Server) []string {
	found := []string{server.URL}
	for name, variable := range server.Variables {
		values := cmp.Or(len(variable.Enum), 1)
		var next []string
		for _, text := range found {
			for i := range values {
				value := "{}"
				if len(variable.Enum) > 0 {
					value = variable.Enum[i]
				}
				next = append(next, strings.ReplaceAll(text, "{"+name+"}", value))
			}
		}
		found = next
	}
	for i, text := range found {
		found[i] = plain(text)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// plain normalizes a URL, so that equal ones are spelled alike.
func plain(text string) string {
	text = strings.TrimRight(text, "/")
	parsed, err := url.Parse(text)
	if err != nil {
		return text
	}
	port := parsed.Port()
	if parsed.Scheme == "http" && port == "80" || parsed.Scheme == "https" && port == "443" {
		parsed.Host = parsed.Hostname()
	}
	parsed.Host = strings.ToLower(parsed.Host)
	return parsed.String()
}

// lostServers finds the servers of an operation that are no longer there. It ignores a
// server without a host, because its URL depends on where the document is.
func (p pair) lostServers() {
	if p.from.Servers == nil || p.to.Servers == nil {
		return
	}
	var left []string
	for _, server := range *p.to.Servers {
		left = append(left, places(server)...)
	}
	if !slices.ContainsFunc(left, isAbsolute) {
		return
	}
	for _, server := range *p.from.Servers {
		for _, place := range places(server) {
			if isAbsolute(place) && !slices.ContainsFunc(left, covers(place)) {
				p.add(finding{
					rule: "server-removed", what: "the server `" + place + "` was removed",
					where: lineOf(p.to.Origin, "servers"),
				})
			}
		}
	}
}

// covers reports whether a server is at a place, or may be: a variable stands for any text.
func covers(place string) func(server string) bool {
	return func(server string) bool {
		parts := strings.Split(server, "{}")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		return regexp.MustCompile(`^` + strings.Join(parts, `.+`) + `$`).MatchString(place)
	}
}

func isAbsolute(place string) bool {
	return strings.Contains(place, "//")
}
