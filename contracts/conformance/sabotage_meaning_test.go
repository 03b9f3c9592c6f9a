package conformance

import (
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
		all = append(all, sabotage{
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

// timeChange is what becomes of a time of a listed node.
type timeChange func(x *exchange, node map[string]any, name string, ms float64) any

// ofMeaning break what no schema says of an answer.
func ofMeaning() []sabotage {
	var all []sabotage
	listed := func(name string, level Level, change func(x *exchange, nodes []any) []any) {
		all = append(all, sabotage{name: "the list " + name, level: level, answer: func(x *exchange) {
			object, _ := x.body.(map[string]any)
			if !x.succeeded(opList) || object == nil {
				return
			}
			nodes := change(x, object["nodes"].([]any))
			if counts := object["count"] == float64(len(object["nodes"].([]any))); counts {
				object["count"] = len(nodes)
			}
			object["nodes"] = nodes
		}})
	}
	eachTime := func(change timeChange) func(x *exchange, nodes []any) []any {
		return func(x *exchange, nodes []any) []any {
			for _, node := range nodes {
				object := node.(map[string]any)
				for _, name := range []string{"registered_at_ms", "last_heartbeat_ms"} {
					if ms, ok := object[name].(float64); ok {
						object[name] = change(x, object, name, ms)
					}
				}
			}
			return nodes
		}
	}
	for name, factor := range map[string]float64{"seconds": 1e-3, "microseconds": 1e3} {
		listed("counts times in "+name, Nodes, eachTime(func(_ *exchange, _ map[string]any, _ string, ms float64) any {
			return int64(ms * factor)
		}))
	}
	listed("has the time of now everywhere", Nodes, eachTime(func(*exchange, map[string]any, string, float64) any {
		return time.Now().UnixMilli()
	}))
	listed("has the first times for ever", Nodes, eachTime(func(x *exchange, node map[string]any, name string, ms float64,
	) any {
		key := fmt.Sprint(node["node_id"], name)
		if x.memory[key] == nil {
			x.memory[key] = ms
		}
		return x.memory[key]
	}))
	listed("has one time everywhere", Nodes, eachTime(func(x *exchange, _ map[string]any, _ string, ms float64) any {
		if x.memory["first"] == nil {
			x.memory["first"] = ms
		}
		return x.memory["first"]
	}))
	for _, off := range []int{-1, 1} {
		all = append(all, sabotage{name: fmt.Sprintf("the list counts %+d", off), level: Nodes, answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(opList) && object["count"].(float64) > 0 {
				object["count"] = object["count"].(float64) + float64(off)
			}
		}})
	}
	listed("has the first node twice", Nodes, func(_ *exchange, nodes []any) []any {
		if len(nodes) == 0 {
			return nodes
		}
		return append([]any{nodes[0]}, nodes...)
	})
	listed("lacks the last node", Nodes, func(_ *exchange, nodes []any) []any { return nodes[:max(0, len(nodes)-1)] })
	listed("lacks the first node of several", Nodes, func(_ *exchange, nodes []any) []any {
		return nodes[min(1, max(0, len(nodes)-1)):]
	})
	listed("ends after ten nodes", Nodes, func(_ *exchange, nodes []any) []any { return nodes[:min(10, len(nodes))] })
	listed("is that of the call before", Nodes, func(x *exchange, nodes []any) []any {
		before, _ := x.memory["before"].([]any)
		x.memory["before"] = nodes
		return append([]any{}, before...)
	})
	for _, status := range []string{"Registering", "Online", "Draining", "Offline", "Failed"} {
		listed("has all nodes as "+status, Nodes, func(_ *exchange, nodes []any) []any {
			for _, node := range nodes {
				node.(map[string]any)["status"] = status
			}
			return nodes
		})
	}
	for _, name := range []string{"last_heartbeat_ms", "version"} {
		level := Nodes
		if name == "version" {
			level = Document
		}
		listed("has no "+name, level, func(_ *exchange, nodes []any) []any {
			for _, node := range nodes {
				delete(node.(map[string]any), name)
			}
			return nodes
		})
	}
	for _, name := range []string{"gpu_count", "total_vram_mb", "cuda_version", "gpus", "cpu_cores", "ram_total_bytes"} {
		listed("has the last node's "+name+" everywhere", Nodes, func(x *exchange, nodes []any) []any {
			last := get(any(nodes), pointer{0, "capabilities", name})
			for _, node := range nodes {
				node.(map[string]any)["capabilities"].(map[string]any)[name] = last
			}
			return nodes
		})
	}
	all = append(all,
		sabotage{name: "a registration echoes another id", level: Nodes, answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(opRegister) {
				object["node_id"] = "another"
			}
		}},
		sabotage{name: "a registration echoes small letters", level: Nodes, answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(opRegister) {
				object["node_id"] = strings.ToLower(x.node)
			}
		}},
		sabotage{name: "the next heartbeat is a point in time", level: Nodes, answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(opHeartbeat) {
				object["next_heartbeat_ms"] = time.Now().UnixMilli()
			}
		}},
	)
	for _, op := range []string{opRegister, opHeartbeat} {
		all = append(all, sabotage{name: op + " without success", level: Nodes, answer: func(x *exchange) {
			if object, _ := x.body.(map[string]any); x.succeeded(op) {
				object["success"] = false
			}
		}})
	}
	return all
}
