package conformance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// unsoundTimes are off where each by itself may be right.
func unsoundTimes() map[string]unsound {
	shows := func(change func([]foreignNode) ([]foreignNode, int)) quirks { return quirks{shows: change} }
	seconds := func(n *foreignNode) {
		n.Registered /= 1000
		if n.Beaten != nil {
			at := *n.Beaten / 1000
			n.Beaten = &at
		}
	}
	zone := func(n *foreignNode) {
		n.Registered += time.Hour.Milliseconds()
		if n.Beaten != nil {
			at := *n.Beaten + time.Hour.Milliseconds()
			n.Beaten = &at
		}
	}
	return map[string]unsound{
		"times in seconds": {
			shows(each(seconds)), "listNodes: time of the last heartbeat: expected milliseconds since 1970",
		},
		"times of another zone": {
			shows(each(zone)), "of a node: expected milliseconds since 1970, in UTC like the header Date",
		},
		"the next heartbeat after the node is offline": {
			quirks{next: time.Hour.Milliseconds()},
			"heartbeatNode: 200 body/next_heartbeat_ms: expected less than the node timeout",
		},
		"the next heartbeat as a point": {
			quirks{next: time.Now().UnixMilli()},
			"heartbeatNode: 200 body/next_heartbeat_ms: expected 86400000 or less",
		},
	}
}

// unsoundRecords keep what a node has said before.
func unsoundRecords() map[string]unsound {
	keeps := func(change func(old, fresh *foreignNode)) quirks {
		return quirks{known: func(old, fresh *foreignNode) int { change(old, fresh); return 0 }}
	}
	return map[string]unsound{
		"a conflict when a node comes again": {
			quirks{known: func(_, _ *foreignNode) int { return http.StatusConflict }},
			"registerNode: status of a registration: expected 200, got 409",
		},
		"a conflict when a node comes from elsewhere": {quirks{known: func(old, fresh *foreignNode) int {
			if old.Address != fresh.Address {
				return http.StatusConflict
			}
			return 0
		}}, "registerNode: status of a registration from another machine and address: expected 200, got 409"},
		"the old record": {
			keeps(func(old, fresh *foreignNode) { *fresh = *old }),
			"listNodes: status of a node that has sent no heartbeat since it registered: ",
		},
		"the old address": {
			keeps(func(old, fresh *foreignNode) { fresh.Address = old.Address }),
			"listNodes: address of a node: expected what it last registered",
		},
		"the old pools": {keeps(func(old, fresh *foreignNode) {
			fresh.Pools = slices.Compact(slices.Sorted(slices.Values(append(old.Pools, fresh.Pools...))))
		}), "listNodes: pools of a node: expected those that it last registered"},
		"the time of the first registration": {
			keeps(func(old, fresh *foreignNode) { fresh.Registered = old.Registered }),
			"listNodes: time of the registration of a node: ",
		},
	}
}

// unsoundLikeness take for the same what only looks alike.
func unsoundLikeness() map[string]unsound {
	keeps := func(change func(old, fresh *foreignNode)) quirks {
		return quirks{known: func(old, fresh *foreignNode) int { change(old, fresh); return 0 }}
	}
	times := map[string]int64{}
	return map[string]unsound{
		"the old capabilities where the pools are the same": {
			keeps(func(old, fresh *foreignNode) {
				if slices.Equal(old.Pools, fresh.Pools) {
					fresh.Capabilities = old.Capabilities
				}
			}),
			"listNodes: capabilities/",
		},
		"one of pools that differ in case": {
			keeps(func(_, fresh *foreignNode) {
				twin := func(pool string) bool { return pool == "Pool-1" }
				fresh.Pools = slices.DeleteFunc(slices.Clone(fresh.Pools), twin)
			}),
			"listNodes: pools of a node: expected those that it last registered",
		},
		"ids without the dot at their end": {
			quirks{key: func(id string) string { return strings.TrimSuffix(id, ".") }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids without the hyphen at their end": {
			quirks{key: func(id string) string { return strings.TrimSuffix(id, "-") }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids by their end": {
			quirks{key: func(id string) string { return id[max(0, len(id)-64):] }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids without their middle": {
			quirks{key: func(id string) string { return id[:min(64, len(id))] + id[max(0, len(id)-32):] }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"ids by their beginning": {
			quirks{key: func(id string) string { return id[:min(63, len(id))] }},
			"listNodes: status of a node that has sent no heartbeat since it registered: expected Registering",
		},
		"ids by what follows their last colon": {
			quirks{key: func(id string) string { return id[strings.LastIndex(id, ":")+1:] }},
			"listNodes: status of a node that has sent no heartbeat since it registered: expected Registering",
		},
		"ids without the zeros before a number": {
			quirks{key: func(id string) string { return strings.ReplaceAll(id, "-0", "-") }},
			"listNodes: status of a node that has sent no heartbeat since it registered: expected Registering",
		},
		"the time of the registration before it left": {quirks{
			leaves: func(f *foreign, id string) { times[id] = f.nodes[id].Registered; delete(f.nodes, id) },
			shows: each(func(n *foreignNode) {
				if at, was := times[n.ID]; was {
					n.Registered = at
				}
			}),
		}, "listNodes: time of the registration of a node: "},
	}
}

// unsoundStates do something else than they were called for.
func unsoundStates() map[string]unsound {
	beats := func(change func(f *foreign, id string, at int64)) quirks {
		return quirks{beats: func(f *foreign, id string, at time.Time) { change(f, id, at.UnixMilli()) }}
	}
	gone := map[string]bool{}
	return map[string]unsound{
		"no heartbeat recorded": {
			beats(func(*foreign, string, int64) {}),
			"listNodes: status of a node that has sent a heartbeat: expected Online",
		},
		"only the first heartbeat recorded": {beats(func(f *foreign, id string, at int64) {
			if node := f.nodes[id]; node.Beaten == nil {
				node.Status, node.Beaten = "Online", &at
			}
		}), "listNodes: time of the last heartbeat of a node: expected about "},
		"registered with each heartbeat": {beats(func(f *foreign, id string, at int64) {
			node := f.nodes[id]
			node.Status, node.Beaten, node.Registered = "Online", &at, at
		}), "listNodes: time of the registration of a node: "},
		"forgotten at the second heartbeat": {beats(func(f *foreign, id string, at int64) {
			node := f.nodes[id]
			if node.Beaten != nil {
				delete(f.nodes, id)
			}
			node.Status, node.Beaten = "Online", &at
		}), "listNodes: node that is registered and has sent a heartbeat: expected to be listed"},
		"all nodes gone with one": {
			quirks{leaves: func(f *foreign, _ string) { clear(f.nodes) }},
			"listNodes: node that is registered and has sent a heartbeat: expected to be listed",
		},
		"listed after it has left": {
			quirks{leaves: func(*foreign, string) {}}, "listNodes: node that has left: expected not to be listed",
		},
		"no coming back": {quirks{
			leaves: func(f *foreign, id string) { gone[id] = true; delete(f.nodes, id) },
			refuses: refusing("/register", 410, func(body map[string]any, _ int) bool {
				id, _ := body["node_id"].(string)
				return gone[id]
			}),
		}, "registerNode: status of a registration: expected 200, got 410"},
	}
}

// unsoundIDs refuse ids and versions that look unusual.
func unsoundIDs() map[string]unsound {
	odd := func(status int, odd func(body map[string]any, size int) bool) quirks {
		return quirks{refuses: refusing("/register", status, odd)}
	}
	says := func(body map[string]any, field string) string { return fmt.Sprint(body[field]) }
	return map[string]unsound{
		"dots and colons": {
			odd(400, func(body map[string]any, _ int) bool {
				return strings.ContainsAny(says(body, "machine_id"), ".:")
			}),
			"registerNode: status with /machine_id: pattern",
		},
		"machines whose ids begin with a digit": {
			odd(422, func(body map[string]any, _ int) bool { return says(body, "machine_id")[0] <= '9' }),
			"registerNode: status with /machine_id: pattern",
		},
		"nodes whose ids begin with a digit": {
			odd(422, func(body map[string]any, _ int) bool { return says(body, "node_id")[0] <= '9' }),
			"registerNode: status with the id 0-conform-",
		},
		"cuda in four parts": {
			odd(422, func(body map[string]any, _ int) bool {
				capabilities, _ := body["capabilities"].(map[string]any)
				return strings.Count(says(capabilities, "cuda_version"), ".") > 2
			}),
			"registerNode: status with /capabilities/cuda_version: pattern",
		},
		"two dots": {
			odd(400, func(body map[string]any, _ int) bool { return strings.Contains(says(body, "node_id"), "..") }),
			"registerNode: status with the id conform-",
		},
	}
}
