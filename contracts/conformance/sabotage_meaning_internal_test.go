package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ofRecords keep or lose parts of a registration.
func ofRecords(doc *document) []sabotage {
	var all []sabotage
	op, id := doc.operation(opRegister), doc.idField()
	for _, name := range slices.Sorted(maps.Keys(flat(op.request).properties)) {
		if name == id {
			continue
		}
		all = append(all, inSmallLetters(name), sabotage{
			name: "the old " + name + " is kept", level: Nodes,
			request: func(x *exchange) {
				object, _ := x.sent.(map[string]any)
				if x.op != op || object == nil {
					return
				}
				if old := x.memory[x.node+name]; old != nil {
					object[name] = old
				}
				x.memory[x.node+name] = object[name]
			},
		}, sabotage{
			name: "the " + name + " of the first node is everybody's", level: Nodes,
			answer: func(x *exchange) {
				if nodes, _ := get(x.body, pointer{"nodes"}).([]any); x.succeeded(opList) && len(nodes) > 1 {
					for _, node := range nodes {
						node.(map[string]any)[name] = nodes[0].(map[string]any)[name]
					}
				}
			},
		})
	}
	return all
}

// inSmallLetters lists texts of a field in small letters.
func inSmallLetters(field string) sabotage {
	return onNodes("has each "+field+" in small letters", Nodes, func(_ *exchange, node map[string]any) {
		var small any
		_ = json.Unmarshal(bytes.ToLower(encode(node[field])), &small)
		node[field] = small
	})
}

// ofMeaning break what no schema says of an answer.
func ofMeaning() []sabotage {
	return slices.Concat(ofTimes(), ofCounts(), ofListing(), ofListed(), ofSpellings(), ofEchoes())
}

// onList breaks the nodes of the list, and counts them anew.
func onList(name string, level Level, change func(x *exchange, nodes []any) []any) sabotage {
	return sabotage{name: "the list " + name, level: level, culprit: opList, answer: func(x *exchange) {
		object, _ := x.body.(map[string]any)
		if !x.succeeded(opList) || object == nil {
			return
		}
		nodes := change(x, object["nodes"].([]any))
		if counts := object["count"] == float64(len(object["nodes"].([]any))); counts {
			object["count"] = len(nodes)
		}
		object["nodes"] = nodes
	}}
}

// onNodes breaks each node of the list.
func onNodes(name string, level Level, change func(x *exchange, node map[string]any)) sabotage {
	return onList(name, level, func(x *exchange, nodes []any) []any {
		for _, node := range nodes {
			change(x, node.(map[string]any))
		}
		return nodes
	})
}

// onTimes breaks each time of each node of the list.
func onTimes(name string, change func(x *exchange, what string, ms float64) any) sabotage {
	return onNodes(name, Nodes, func(x *exchange, node map[string]any) {
		for _, field := range []string{"registered_at_ms", "last_heartbeat_ms"} {
			if ms, ok := node[field].(float64); ok {
				node[field] = change(x, fmt.Sprint(node["node_id"], field), ms)
			}
		}
	})
}

func ofTimes() []sabotage {
	first := func(x *exchange, what string, ms float64) any {
		if x.memory[what] == nil {
			x.memory[what] = ms
		}
		return x.memory[what]
	}
	now := onTimes("has the time of now everywhere",
		func(*exchange, string, float64) any { return time.Now().UnixMilli() })
	shifted := func(off time.Duration) sabotage {
		return onTimes(fmt.Sprintf("has its times %v off", off), func(_ *exchange, _ string, ms float64) any {
			return ms + float64(off.Milliseconds())
		})
	}
	now.culprit = "" // it shows first wherever two lists are compared, as the times that differ
	return []sabotage{
		now,
		onTimes("counts times in seconds", func(_ *exchange, _ string, ms float64) any { return int64(ms / 1000) }),
		onTimes("counts times in microseconds",
			func(_ *exchange, _ string, ms float64) any { return int64(ms * 1000) }),
		onTimes("has the first times for ever", first),
		shifted(time.Hour), shifted(-time.Hour), shifted(-8 * time.Hour), shifted(24 * time.Hour),
		shifted(5*time.Hour + 30*time.Minute),
		onTimes("has one time everywhere", func(x *exchange, _ string, ms float64) any { return first(x, "", ms) }),
	}
}

func ofCounts() []sabotage {
	var all []sabotage
	for _, off := range []int{-1, 1} {
		name := fmt.Sprintf("the list counts %+d", off)
		all = append(all, sabotage{name: name, level: Nodes, culprit: "count", answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(opList) && object["count"].(float64) > 0 {
				object["count"] = object["count"].(float64) + float64(off)
			}
		}})
	}
	return all
}

// ofListing break which nodes are listed.
func ofListing() []sabotage {
	only := func(name string, some func(nodes []any) []any) sabotage {
		return onList(name, Nodes, func(_ *exchange, nodes []any) []any { return some(nodes) })
	}
	return []sabotage{
		only("has the first node twice", func(nodes []any) []any {
			return append(slices.Clone(nodes[:min(1, len(nodes))]), nodes...)
		}),
		only("lacks the last node", func(nodes []any) []any { return nodes[:max(0, len(nodes)-1)] }),
		only("lacks the first node of several",
			func(nodes []any) []any { return nodes[min(1, max(0, len(nodes)-1)):] }),
		only("ends after ten nodes", func(nodes []any) []any { return nodes[:min(10, len(nodes))] }),
		only("ends after a page of 100", func(nodes []any) []any { return nodes[:min(100, len(nodes))] }),
		onList("is that of the call before", Nodes, func(x *exchange, nodes []any) []any {
			before, _ := x.memory["before"].([]any)
			x.memory["before"] = nodes
			return append([]any{}, before...)
		}),
	}
}

// ofListed break what is said of the nodes that are listed.
func ofListed() []sabotage {
	var all []sabotage
	for _, status := range []string{"Registering", "Online", "Draining", "Offline", "Failed"} {
		all = append(all, onNodes("has all nodes as "+status, Nodes, func(_ *exchange, node map[string]any) {
			node["status"] = status
		}))
	}
	for name, level := range map[string]Level{"last_heartbeat_ms": Nodes, "version": Document} {
		all = append(all, onNodes("has no "+name, level, func(_ *exchange, node map[string]any) { delete(node, name) }))
	}
	for _, name := range []string{
		"gpu_count", "total_vram_mb", "cuda_version", "gpus", "cpu_cores",
		"ram_total_bytes",
	} {
		all = append(all,
			onList("has the last node's "+name+" everywhere", Nodes, func(x *exchange, nodes []any) []any {
				last := get(any(nodes), pointer{0, "capabilities", name})
				for _, node := range nodes {
					node.(map[string]any)["capabilities"].(map[string]any)[name] = last
				}
				return nodes
			}))
	}
	return all
}

// ofEchoes break what an answer says of the call.
func ofEchoes() []sabotage {
	says := func(name, op, field string, value func(x *exchange) any) sabotage {
		return sabotage{name: name, level: Nodes, culprit: op, answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(op) {
				object[field] = value(x)
			}
		}}
	}
	failed := func(*exchange) any { return false }
	return []sabotage{
		says("a registration echoes another id", opRegister, "node_id", func(*exchange) any { return "another" }),
		says("a registration echoes small letters", opRegister, "node_id", func(x *exchange) any {
			return strings.ToLower(x.node)
		}),
		says("the next heartbeat is a point in time", opHeartbeat, "next_heartbeat_ms", func(*exchange) any {
			return time.Now().UnixMilli()
		}),
		says("the next heartbeat is in seconds", opHeartbeat, "next_heartbeat_ms", func(*exchange) any { return 10 }),
		says("the next heartbeat is in microseconds", opHeartbeat, "next_heartbeat_ms",
			func(*exchange) any { return 10_000_000 }),
		says("the next heartbeat is in an hour", opHeartbeat, "next_heartbeat_ms",
			func(*exchange) any { return 3_600_000 }),
		says("the next heartbeat is beyond the node timeout", opHeartbeat, "next_heartbeat_ms",
			func(*exchange) any { return 45_000 }),
		says("registerNode without success", opRegister, "success", failed),
		says("heartbeatNode without success", opHeartbeat, "success", failed),
	}
}
