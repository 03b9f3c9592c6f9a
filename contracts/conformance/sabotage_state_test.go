package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// ofState break what calls do.
func ofState() []sabotage {
	done := func(x *exchange, body any) {
		x.reply(x.op.success())
		x.header.Set("Content-Type", "application/json")
		x.body, x.text = body, encode(body)
		if x.op.id == opDeregister {
			x.body, x.text = nil, nil
			x.header.Del("Content-Type")
		}
	}
	registered := func(x *exchange) any { return map[string]any{"success": true, "message": "", "node_id": x.node} }
	beaten := func(*exchange) any { return map[string]any{"success": true, "next_heartbeat_ms": 10_000} }
	known := func(x *exchange) bool { // notes who is known
		if x.op == nil || x.node == "" {
			return false
		}
		was, _ := x.memory[x.node].(bool)
		switch x.op.id {
		case opRegister:
			x.memory[x.node] = true
		case opDeregister:
			delete(x.memory, x.node)
		}
		return was
	}
	is := func(x *exchange, op string) bool {
		return x.op != nil && x.op.id == op && x.r.Header.Get("Authorization") == "Bearer "+strengthToken
	}
	request := func(name string, change func(x *exchange)) sabotage {
		return sabotage{name: name, level: Nodes, request: change}
	}
	all := []sabotage{
		request("registering again is a conflict", func(x *exchange) {
			if is(x, opRegister) && known(x) {
				x.reply(http.StatusConflict)
			}
		}),
		request("registering again does nothing", func(x *exchange) {
			if is(x, opRegister) && known(x) {
				done(x, registered(x))
			} else if is(x, opDeregister) {
				known(x)
			}
		}),
		request("registering does nothing", func(x *exchange) {
			if is(x, opRegister) {
				done(x, registered(x))
			}
		}),
		request("registering from elsewhere is a conflict", func(x *exchange) {
			machine := get(x.sent, pointer{"machine_id"})
			if is(x, opRegister) {
				if before := x.memory[x.node]; before != nil && before != machine {
					x.reply(http.StatusConflict)
				}
				x.memory[x.node] = machine
			}
		}),
		request("a heartbeat does nothing", func(x *exchange) {
			if known(x) && is(x, opHeartbeat) {
				done(x, beaten(x))
			}
		}),
		request("a heartbeat of an unknown node is taken", func(x *exchange) {
			if was := known(x); is(x, opHeartbeat) && !was {
				done(x, beaten(x))
			}
		}),
		request("a heartbeat is taken for all nodes", func(x *exchange) {
			known(x)
			if is(x, opHeartbeat) {
				for id, v := range x.memory {
					if v == true && id != x.node {
						x.own(opHeartbeat, id, x.sent)
					}
				}
			}
		}),
		request("deregistering does nothing", func(x *exchange) {
			if is(x, opDeregister) {
				done(x, nil)
			}
		}),
		request("deregistering twice is fine", func(x *exchange) {
			if was := known(x); is(x, opDeregister) && !was {
				done(x, nil)
			}
		}),
		request("deregistering one removes all", func(x *exchange) {
			known(x)
			if is(x, opDeregister) {
				for id, v := range x.memory {
					if v == true && id != x.node {
						x.own(opDeregister, id, nil)
						delete(x.memory, id)
					}
				}
			}
		}),
		request("deregistering removes those whose names begin so", func(x *exchange) {
			known(x)
			if is(x, opDeregister) {
				for id, v := range x.memory {
					if v == true && id != x.node && strings.HasPrefix(id, x.node) {
						x.own(opDeregister, id, nil)
						delete(x.memory, id)
					}
				}
			}
		}),
		request("one node pushes another out", func(x *exchange) {
			known(x)
			if is(x, opRegister) {
				ids := slices.DeleteFunc(slices.Sorted(maps.Keys(x.memory)), func(id string) bool { return id == x.node })
				if len(ids) >= 16 {
					x.own(opDeregister, ids[0], nil)
					delete(x.memory, ids[0])
				}
			}
		}),
		request("no more than 20 nodes are taken", func(x *exchange) {
			if was := known(x); is(x, opRegister) && !was && len(x.memory) > 20 {
				delete(x.memory, x.node)
				x.reply(http.StatusServiceUnavailable)
			}
		}),
		request("what is refused is done all the same", func(x *exchange) {
			if object, ok := x.sent.(map[string]any); is(x, opRegister) && ok && object["machine_id"] == nil {
				x.own(opDeregister, x.node, nil)
			}
		}),
		request("who has no token may deregister", func(x *exchange) {
			if x.op != nil && x.op.id == opDeregister && x.r.Header.Get("Authorization") == "" {
				x.own(opDeregister, x.node, nil)
			}
		}),
	}
	for beats := 2; beats <= 3; beats++ {
		all = append(all, request(fmt.Sprintf("a node is forgotten at heartbeat %d", beats), func(x *exchange) {
			if is(x, opRegister) {
				x.memory[x.node] = 0
			}
			if n, ok := x.memory[x.node].(int); ok && is(x, opHeartbeat) {
				if x.memory[x.node] = n + 1; n+1 == beats {
					x.own(opDeregister, x.node, nil)
				}
			}
		}), request(fmt.Sprintf("from heartbeat %d on they do nothing", beats), func(x *exchange) {
			if is(x, opRegister) || is(x, opDeregister) {
				x.memory[x.node] = 0
			}
			if n, ok := x.memory[x.node].(int); ok && is(x, opHeartbeat) {
				if x.memory[x.node] = n + 1; n+1 >= beats {
					done(x, beaten(x))
				}
			}
		}))
	}
	return all
}

// ofNames take one name for another.
func ofNames() []sabotage {
	var all []sabotage
	for what, change := range map[string]func(string) string{
		"names are taken in small letters":      strings.ToLower,
		"names end at the first dot":            until("."),
		"names end at the first colon":          until(":"),
		"names end after 64 characters":         func(id string) string { return id[:min(64, len(id))] },
		"underscores in names become hyphens":   func(id string) string { return strings.ReplaceAll(id, "_", "-") },
		"dots in names are left out":            func(id string) string { return strings.ReplaceAll(id, ".", "") },
		"colons in names become their escapes":  func(id string) string { return strings.ReplaceAll(id, ":", "%3A") },
		"the last character of names is lost":   func(id string) string { return id[:max(1, len(id)-1)] },
		"names are taken up to their last part": lastPart,
	} {
		all = append(all, sabotage{name: what, level: Nodes, request: func(x *exchange) {
			if x.op == nil || x.node == "" {
				return
			}
			if object, ok := x.sent.(map[string]any); ok && x.op.id == opRegister {
				object["node_id"] = change(x.node)
				return
			}
			x.r.URL.Path = strings.Replace(x.op.path, x.op.parameter, change(x.node), 1)
			x.r.URL.RawPath = ""
		}})
	}
	return all
}

func until(mark string) func(string) string {
	return func(id string) string {
		before, _, _ := strings.Cut(id, mark)
		return before
	}
}

func lastPart(id string) string { return id[:max(1, strings.LastIndexAny("-"+id, "-.:_"))] }
