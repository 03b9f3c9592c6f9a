package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ofNames take one name for another.
func ofNames() []sabotage {
	var all []sabotage
	for what, change := range mistakenNames() {
		all = append(all, renamed(what, change), keyed(what, change))
		if strings.Contains(what, "escapes") {
			continue // which no two names share
		}
		all = append(all, hidden(what, change))
		for _, field := range []string{"machine_id", "address", "pools"} {
			all = append(all, confused(field, what, change))
		}
	}
	return all
}

func mistakenNames() map[string]func(string) string {
	several := regexp.MustCompile(`[-._:]+`)
	names := map[string]func(string) string{
		"zeros before names are left out": func(id string) string {
			if bare := strings.TrimLeft(id, "0"); !strings.HasPrefix(bare, "-") {
				return bare
			}
			return id
		},
		"names are taken in small letters":        strings.ToLower,
		"names end at the first dot":              until("."),
		"names end at the first colon":            until(":"),
		"names lack an ending":                    func(id string) string { return strings.TrimSuffix(id, ".json") },
		"underscores in names become hyphens":     func(id string) string { return strings.ReplaceAll(id, "_", "-") },
		"dots in names are left out":              func(id string) string { return strings.ReplaceAll(id, ".", "") },
		"colons in names become their escapes":    func(id string) string { return strings.ReplaceAll(id, ":", "%3A") },
		"punctuation in names is always a hyphen": func(id string) string { return several.ReplaceAllString(id, "-") },
		"names lack all punctuation":              func(id string) string { return several.ReplaceAllString(id, "") },
		"names lack punctuation at their end":     func(id string) string { return strings.TrimRight(id, "-._:") },
		"the last character of names is lost":     func(id string) string { return id[:max(1, len(id)-1)] },
		"the first character of names is lost":    func(id string) string { return id[min(1, len(id)-1):] },
		"the middle of names is lost": func(id string) string {
			if len(id) > 96 {
				return id[:64] + id[len(id)-32:]
			}
			return id
		},
		"names are taken up to their last part": lastPart,
	}
	for _, mark := range "-._:" {
		names[fmt.Sprintf("names lack %q at their end", mark)] = func(id string) string {
			return strings.TrimSuffix(id, string(mark))
		}
	}
	for _, n := range []int{64, 100, 127} {
		names[fmt.Sprintf("names end after %d characters", n)] = func(id string) string { return id[:min(n, len(id))] }
		names[fmt.Sprintf("names are their last %d characters", n)] = func(id string) string {
			if len(id) > n {
				return "n" + id[len(id)-n:]
			}
			return id
		}
	}
	return names
}

// renamed gives nodes another name.
func renamed(what string, change func(string) string) sabotage {
	return sabotage{name: what, level: Nodes, request: func(x *exchange) {
		if x.op == nil || x.node == "" {
			return
		}
		if object, ok := x.sent.(map[string]any); ok && x.op.id == opRegister {
			object["node_id"] = change(x.node)
			return
		}
		x.r.URL.Path = strings.Replace(x.op.path, x.op.parameter, change(x.node), 1)
		x.r.URL.RawPath = ""
	}}
}

// keyed keeps nodes under another name, and shows each by the name with which it came last.
func keyed(what string, change func(string) string) sabotage {
	s := renamed("as keys, "+what, change)
	s.answer = func(x *exchange) {
		if x.succeeded(opRegister) {
			x.memory[change(x.node)] = x.node
			x.body = put(x.body, pointer{"node_id"}, x.node)
		}
		nodes, _ := get(x.body, pointer{"nodes"}).([]any)
		for _, node := range nodes {
			node := node.(map[string]any)
			if name := x.memory[fmt.Sprint(node["node_id"])]; name != nil {
				node["node_id"] = name
			}
		}
	}
	return s
}

// confused lists nodes that have the same name once it is changed with what the last of them registered in a field.
func confused(field, what string, change func(string) string) sabotage {
	return sabotage{name: "as keys of " + field + ", " + what, level: Nodes, answer: func(x *exchange) {
		if x.succeeded(opRegister) {
			x.memory[change(x.node)] = get(x.sent, pointer{field})
		}
		nodes, _ := get(x.body, pointer{"nodes"}).([]any)
		for _, node := range nodes {
			node := node.(map[string]any)
			if last := x.memory[change(fmt.Sprint(node["node_id"]))]; last != nil {
				node[field] = last
			}
		}
	}}
}

// hidden has no list show a node after one has left that has the same name once it is changed, until one comes.
func hidden(what string, change func(string) string) sabotage {
	return sabotage{name: "as keys of those that have left, " + what, level: Nodes, answer: func(x *exchange) {
		switch {
		case x.succeeded(opRegister):
			delete(x.memory, change(x.node))
		case x.succeeded(opDeregister):
			x.memory[change(x.node)] = true
		}
		nodes, isList := get(x.body, pointer{"nodes"}).([]any)
		if !isList {
			return
		}
		nodes = slices.DeleteFunc(nodes, func(node any) bool {
			return x.memory[change(fmt.Sprint(get(node, pointer{"node_id"})))] == true
		})
		x.body = put(put(x.body, pointer{"nodes"}, nodes), pointer{"count"}, len(nodes))
	}}
}

func until(mark string) func(string) string {
	return func(id string) string {
		before, _, _ := strings.Cut(id, mark)
		return before
	}
}

func lastPart(id string) string { return id[:max(1, strings.LastIndexAny("-"+id, "-.:_"))] }
