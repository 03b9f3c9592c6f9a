package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ofState break what calls do.
func ofState() []sabotage {
	all := slices.Concat(ofRegistering(), ofOmissions(), ofDeregistering(), ofBeating(), ofCrowds(), ofRefusing())
	all = append(all, torn())
	for beats := 2; beats <= 3; beats++ {
		all = append(all, forgotten(beats), idle(beats))
	}
	return all
}

// torn has the list show the old address of a node while its registration is under way.
func torn() sabotage {
	const way = 3 * time.Millisecond
	type address struct {
		now, old any
		since    time.Time
	}
	return sabotage{name: "the address of a registration comes last", level: Nodes, answer: func(x *exchange) {
		if x.succeeded(opRegister) {
			before, _ := x.memory[x.node].(address)
			x.memory[x.node] = address{get(x.sent, pointer{"address"}), before.now, time.Now()}
			x.delay = way
		}
		nodes, _ := get(x.body, pointer{"nodes"}).([]any)
		for _, node := range nodes {
			node := node.(map[string]any)
			known, _ := x.memory[fmt.Sprint(node["node_id"])].(address)
			if known.old != nil && time.Since(known.since) < way {
				node["address"] = known.old
			}
		}
	}}
}

// onRequest breaks what a call does before the mock sees it.
func onRequest(name string, change func(x *exchange)) sabotage {
	return sabotage{name: name, level: Nodes, request: change}
}

// done answers a call as if it had been done.
func (x *exchange) done() {
	x.reply(x.op.success())
	x.header.Set("Content-Type", "application/json")
	switch x.op.id {
	case opRegister:
		x.body = map[string]any{"success": true, "message": "", "node_id": x.node}
	case opHeartbeat:
		x.body = map[string]any{"success": true, "next_heartbeat_ms": 10_000}
	default:
		x.header.Del("Content-Type")
		return
	}
	x.text = encode(x.body)
}

// is reports whether a call is of an operation, with the right token.
func (x *exchange) is(op string) bool {
	return x.op != nil && x.op.id == op && x.r.Header.Get("Authorization") == "Bearer "+strengthToken
}

// known reports whether the node was registered before the call, and notes who is.
func (x *exchange) known() bool {
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

// others are the nodes that are registered besides the one of the call, in order.
func (x *exchange) others() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(x.memory)), func(id string) bool {
		return id == x.node || x.memory[id] != true
	})
}

func ofRegistering() []sabotage {
	return []sabotage{
		onRequest("registering again is a conflict", func(x *exchange) {
			if x.is(opRegister) && x.known() {
				x.reply(http.StatusConflict)
			}
		}),
		onRequest("registering again does nothing", func(x *exchange) {
			if x.is(opRegister) && x.known() {
				x.done()
			} else if x.is(opDeregister) {
				x.known()
			}
		}),
		onRequest("registering does nothing", func(x *exchange) {
			if x.is(opRegister) {
				x.done()
			}
		}),
		onRequest("registering from elsewhere is a conflict", func(x *exchange) {
			machine := get(x.sent, pointer{"machine_id"})
			if x.is(opRegister) {
				if before := x.memory[x.node]; before != nil && before != machine {
					x.reply(http.StatusConflict)
				}
				x.memory[x.node] = machine
			}
		}),
	}
}

// ofOmissions take what a registration leaves out from the registration before.
func ofOmissions() []sabotage {
	keeps := func(name string, is func(value any) bool, at pointer) sabotage {
		return onRequest("a registration without "+name+" keeps the old", func(x *exchange) {
			object, _ := get(x.sent, at[:len(at)-1]).(map[string]any)
			if !x.is(opRegister) || object == nil {
				return
			}
			field := at[len(at)-1].(string)
			if old := x.memory[x.node]; old != nil && is(object[field]) {
				object[field] = old
			}
			x.memory[x.node] = object[field]
		})
	}
	isMissing := func(value any) bool { return value == nil }
	return []sabotage{
		keeps("pools", func(value any) bool { pools, _ := value.([]any); return len(pools) == 0 }, pointer{"pools"}),
		keeps("version", isMissing, pointer{"version"}),
		keeps("cores", isMissing, pointer{"capabilities", "cpu_cores"}),
	}
}

func ofDeregistering() []sabotage {
	removes := func(name string, also func(x *exchange, id string) bool) sabotage {
		return onRequest(name, func(x *exchange) {
			x.known()
			for _, id := range x.others() {
				if x.is(opDeregister) && also(x, id) {
					x.own(opDeregister, id, nil)
					delete(x.memory, id)
				}
			}
		})
	}
	return []sabotage{
		onRequest("deregistering does nothing", func(x *exchange) {
			if x.is(opDeregister) {
				x.done()
			}
		}),
		onRequest("deregistering twice is fine", func(x *exchange) {
			if was := x.known(); x.is(opDeregister) && !was {
				x.done()
			}
		}),
		removes("deregistering one removes all", func(*exchange, string) bool { return true }),
		removes("deregistering removes those whose names begin so", func(x *exchange, id string) bool {
			return strings.HasPrefix(id, x.node)
		}),
	}
}

func ofBeating() []sabotage {
	return []sabotage{
		onRequest("a heartbeat does nothing", func(x *exchange) {
			if x.known() && x.is(opHeartbeat) {
				x.done()
			}
		}),
		onRequest("a heartbeat of an unknown node is taken", func(x *exchange) {
			if was := x.known(); x.is(opHeartbeat) && !was {
				x.done()
			}
		}),
		onRequest("a heartbeat that is older than the last does nothing", func(x *exchange) {
			was, last := x.known(), "last "+x.node
			now, _ := get(x.sent, pointer{"timestamp"}).(string)
			switch before, _ := x.memory[last].(string); {
			case !was, now == "", !x.is(opHeartbeat):
				delete(x.memory, last)
			case now < before:
				x.done()
			default:
				x.memory[last] = now
			}
		}),
		onRequest("one pool that drains drains the node", func(x *exchange) {
			object, _ := x.sent.(map[string]any)
			pools, _ := object["pools"].([]any)
			for _, pool := range pools {
				if pool, ok := pool.(map[string]any); ok && x.is(opHeartbeat) && pool["draining"] == true {
					object["pools"] = []any{pool}
				}
			}
		}),
		onRequest("a heartbeat is taken for all who have sent one", func(x *exchange) {
			beating := "beating " + x.node
			switch {
			case x.is(opRegister), x.is(opDeregister):
				delete(x.memory, beating)
			case x.is(opHeartbeat):
				for _, other := range slices.Sorted(maps.Keys(x.memory)) {
					if id, is := strings.CutPrefix(other, "beating "); is && id != x.node {
						x.own(opHeartbeat, id, x.sent)
					}
				}
				x.memory[beating] = true
			}
		}),
		onRequest("a heartbeat is taken for all nodes", func(x *exchange) {
			x.known()
			for _, id := range x.others() {
				if x.is(opHeartbeat) {
					x.own(opHeartbeat, id, x.sent)
				}
			}
		}),
	}
}

func ofCrowds() []sabotage {
	return []sabotage{
		onRequest("one node pushes another out", func(x *exchange) {
			x.known()
			if others := x.others(); x.is(opRegister) && len(others) >= 16 {
				x.own(opDeregister, others[0], nil)
				delete(x.memory, others[0])
			}
		}),
		onRequest("no more than 20 nodes are taken", func(x *exchange) {
			if was := x.known(); x.is(opRegister) && !was && len(x.memory) > 20 {
				delete(x.memory, x.node)
				x.reply(http.StatusServiceUnavailable)
			}
		}),
	}
}

func ofRefusing() []sabotage {
	return []sabotage{
		onRequest("what is refused is done all the same", func(x *exchange) {
			if object, ok := x.sent.(map[string]any); x.is(opRegister) && ok && object["machine_id"] == nil {
				x.own(opDeregister, x.node, nil)
			}
		}),
		onRequest("who has no token may deregister", func(x *exchange) {
			if x.op != nil && x.op.id == opDeregister && x.r.Header.Get("Authorization") == "" {
				x.own(opDeregister, x.node, nil)
			}
		}),
	}
}

// forgotten has a node forgotten at its nth heartbeat.
func forgotten(n int) sabotage {
	return onRequest(fmt.Sprintf("a node is forgotten at heartbeat %d", n), func(x *exchange) {
		if x.is(opRegister) {
			x.memory[x.node] = 0
		}
		if beats, ok := x.memory[x.node].(int); ok && x.is(opHeartbeat) {
			if x.memory[x.node] = beats + 1; beats+1 == n {
				x.own(opDeregister, x.node, nil)
			}
		}
	})
}

// idle has heartbeats do nothing from the nth on.
func idle(n int) sabotage {
	return onRequest(fmt.Sprintf("from heartbeat %d on they do nothing", n), func(x *exchange) {
		if x.is(opRegister) || x.is(opDeregister) {
			x.memory[x.node] = 0
		}
		if beats, ok := x.memory[x.node].(int); ok && x.is(opHeartbeat) {
			if x.memory[x.node] = beats + 1; beats+1 >= n {
				x.done()
			}
		}
	})
}
