package breaking

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// keepPrefixes gives an operation of the new version the path that it has in the old one. It does
// so if only the path of its servers has changed. Otherwise it would be another operation, and nothing
// about it would be compared. Both versions learn that this has changed.
func keepPrefixes(before, after version) {
	for young, prefix := range maps.Clone(after.prefixes) {
		if hasOperation(before.api, young) {
			continue
		}
		for old, had := range before.prefixes {
			if old.method == young.method && !hasOperation(after.api, old) &&
				isSamePath(old.path[len(had):], young.path[len(prefix):]) {
				target := part{method: old.method, path: had + young.path[len(prefix):]}
				move(after.api, young, target)
				move(after.flat.Spec, young, target)
				before.changed[old], after.changed[target] = had, prefix
			}
		}
	}
}

func hasOperation(api *openapi3.T, at part) bool {
	item := api.Paths.Value(samePath(api, at.path))
	return item != nil && item.GetOperation(at.method) != nil
}

func move(api *openapi3.T, from, to part) {
	item := api.Paths.Value(from.path)
	put(api.Paths, to.path, to.method, item, item.GetOperation(from.method))
	item.SetOperation(from.method, nil)
	if len(item.Operations()) == 0 {
		api.Paths.Delete(from.path)
	}
}

// put adds an operation of a path item under another path.
func put(paths *openapi3.Paths, path, method string, item *openapi3.PathItem, operation *openapi3.Operation) {
	target := paths.Value(path)
	if target == nil {
		target = &openapi3.PathItem{Origin: item.Origin, Extensions: item.Extensions}
		paths.Set(path, target)
	}
	target.SetOperation(method, operation)
}

// changedPrefix finds that the path of the servers is another one.
func (p pair) changedPrefix(from, to version) {
	had, changed := from.changed[part{method: p.method, path: p.path}]
	if !changed {
		return
	}
	has := to.changed[part{method: p.method, path: samePath(to.api, p.path)}]
	f := finding{
		rule: "server-path-changed", where: lineOf(p.to.Origin, ""),
		what: "the `servers` have " + prefixNamed(has) + ", and had " + prefixNamed(had),
		why:  "A client that keeps to the base asks for a path that is no longer there.",
	}
	if servers := p.to.Servers; servers != nil {
		for _, server := range slices.Backward(*servers) {
			f.where = lineOf(server.Origin, "url")
		}
	}
	p.add(f)
}

func prefixNamed(prefix string) string {
	if prefix == "" {
		return "no path"
	}
	return "the path `" + prefix + "`"
}
