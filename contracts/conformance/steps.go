package conformance

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const (
	sequences     = 24 // how many are drawn
	sequenceSteps = 14 // steps in each
)

// step is one step of a sequence: what one of its nodes does.
type step struct {
	act  act
	node int // which of the sequence's nodes
}

// act is what a node may do in a step.
type act int

const (
	comes         act = iota // registers
	comesFrom                // registers from another machine and address
	comesMoved               // registers from another address of the same machine
	comesWithLess            // registers with fewer pools
	comesWithMore            // registers with more pools, another version and other capabilities
	comesUpgraded            // registers with another version and other capabilities, and the same pools
	comesBare                // registers with no pools and nothing that may be left out
	beats                    // sends a heartbeat
	beatsIdle                // sends a heartbeat without pools that are ready
	drainsAll                // sends a heartbeat, all its pools draining
	drainsOne                // sends a heartbeat, one of its pools draining
	beatsEmpty               // sends a heartbeat without pools
	beatsAhead               // sends a heartbeat by a clock that is ahead
	leaves                   // deregisters
	acts                     // how many there are
)

// goesWith reports whether a look at the list shows the same after the next step: several nodes come. Who leaves
// may take others along, whom nobody misses once they have left too.
func (s step) goesWith(next step) bool {
	return s.act <= comesBare && next.act <= comesBare && s.node != next.node
}

// suffixes tell the nodes of a sequence apart, for orchestratord no less than for us. An
// ellipsis stands for as many characters as an id has room for, and a bar for the name.
var suffixes = []string{
	"", "-a", "-b", "-A", ".a", ":a", "-a.b:c_d", "_a", "--a", "-a.", "…a", "…b", "0|", "a:|", "-1", "-01",
	"a", "..a", "-a-", "-a_", "-a:", "-a.json", "a|…", "b|…", "…a" + tail, "…b" + tail,
	"-a ", "-é", "-e" + accent, // where the document lets ids be any text
}

const (
	// drawnSuffixes is how many of them sequences are drawn from, the first ones.
	drawnSuffixes = 16
	// tail is the end of ids that differ in their middle.
	tail = "-0123456789012345678901234567890123456789"
	// longID is how long the longest id is where the document has no limit.
	longID = 128
)

// called returns the id of one of a sequence's nodes.
func (s *session) called(name string, node int) string {
	id := suffixes[node]
	if !strings.Contains(id, "|") {
		id = "|" + id
	}
	id = strings.Replace(id, "|", name, 1)
	most := longID
	if limit := s.doc.idSchema().MaxLength; limit != nil {
		most = int(*limit)
	}
	room := max(0, most-len(id)+len("…"))
	return strings.Replace(id, "…", strings.Repeat("n", room), 1)
}

// plots are sequences that every run walks: what happens to nodes in their lives.
func plots() [][]step {
	return [][]step{
		{{comes, 0}, {beats, 0}, {beats, 0}, {beats, 0}, {leaves, 0}, {beats, 0}, {leaves, 0}},
		{{comes, 0}, {beats, 0}, {comes, 0}, {beats, 0}, {comesFrom, 0}, {beats, 0}},
		{{comes, 0}, {beats, 0}, {comesMoved, 0}, {beats, 0}},
		{{comes, 0}, {beats, 0}, {comesWithLess, 0}, {beats, 0}, {comesWithMore, 0}, {beats, 0}, {drainsOne, 0}},
		{{comes, 0}, {beats, 0}, {comesUpgraded, 0}, {beats, 0}},
		{{comes, 0}, {beats, 0}, {comesBare, 0}, {beats, 0}, {comes, 0}, {beats, 0}},
		{{comes, 0}, {beats, 0}, {drainsAll, 0}, {drainsOne, 0}, {beatsIdle, 0}, {beatsEmpty, 0}, {beats, 0}},
		{{comes, 0}, {drainsAll, 0}, {comes, 0}, {beats, 0}, {drainsAll, 0}, {leaves, 0}, {comes, 0}, {beats, 0}},
		{{comes, 0}, {comes, 1}, {comes, 2}, {beats, 0}, {beats, 1}, {beats, 2}, {leaves, 1}, {beats, 0}, {beats, 2}},
		{
			{beats, 0},
			{leaves, 0},
			{comes, 0},
			{leaves, 0},
			{comes, 0},
			{beats, 0},
			{leaves, 0},
			{comesFrom, 0},
			{beats, 0},
		},
	}
}

// mixups is a sequence of nodes whose names are easily confused. They come and send a heartbeat, every other one
// comes again from elsewhere, and all leave.
func (s *session) mixups() []step {
	var plan []step
	like := s.name() + "00" // no shorter than the names to come
	each := func(act act, first, by int) {
		for node := first; node < len(suffixes); node += by {
			if s.doc.idSchema().VisitJSONString(s.called(like, node)) == nil {
				plan = append(plan, step{act, node})
			}
		}
	}
	each(comes, 0, 2)
	each(comesWithLess, 1, 2)
	each(beats, 0, 1)
	each(comesFrom, 0, 2)
	each(beats, 0, 2)
	each(leaves, 0, 1)
	return plan
}

// drawn are sequences drawn from the seed.
func (s *session) drawn() [][]step {
	var plans [][]step
	for i := range sequences {
		chance := s.random(i)
		plan := make([]step, sequenceSteps)
		for j := range plan {
			plan[j] = step{act(chance.IntN(int(acts))), few(chance)}
		}
		plans = append(plans, plan)
	}
	return plans
}

// few picks one of the nodes, some of them more often, so that they meet.
func few(chance *mathrand.Rand) int {
	return min(chance.IntN(drawnSuffixes), chance.IntN(drawnSuffixes))
}

// take has a node do something.
func (r *registry) take(ctx context.Context, act act, id string) { r.follow(ctx, step{act: act}, id) }

// follow has one of several nodes take a step.
func (r *registry) follow(ctx context.Context, step step, id string) {
	switch act := step.act; act {
	case comes, comesFrom, comesMoved, comesWithLess, comesWithMore, comesUpgraded, comesBare:
		r.register(ctx, encode(registrationOf(step, id)), act.String())
	case leaves:
		r.leave(ctx, id)
	default:
		pools := []string{"pool-0"}
		if n := r.known[id]; n != nil {
			pools = n.registration.Pools
		}
		r.beat(ctx, id, encode(heartbeatOf(act, pools)), act.String())
	}
}

// String says what a node does, to follow "status".
func (a act) String() string {
	return [...]string{
		"of a registration", "of a registration from another machine and address",
		"of a registration from another address of the same machine",
		"of a registration with fewer pools",
		"of a registration with more pools, another version and other capabilities",
		"of a registration with another version and other capabilities",
		"of a registration with no pools and nothing that may be left out",
		"of a heartbeat", "of a heartbeat with pools that are not ready", "of a heartbeat whose pools all drain",
		"of a heartbeat with one draining pool", "of a heartbeat without pools",
		"of a heartbeat by a clock that is ahead", "of a deregistration",
	}[a]
}

// oddSize is a size in bytes that every rounding changes.
const oddSize = 25_438_126_081

// registrationOf is what a node registers with. Each of several has an address and a pool of its
// own, and some share a machine.
func registrationOf(step step, id string) nodeapi.RegisterRequest {
	const machines = 7
	machine := step.node % machines
	version, gpus := "0.1.0", []nodeapi.GPU{{Name: "GPU", VRAMTotalBytes: oddSize, ComputeCapability: "8.6"}}
	r := nodeapi.RegisterRequest{
		NodeID: id, MachineID: fmt.Sprint("conform-machine-", machine), Address: step.address(10, 9200),
		Pools: []string{"pool-0", "pool-1"}, Version: &version,
	}
	switch step.act {
	case comesFrom:
		r.MachineID, r.Address = fmt.Sprint("conform-machine-", machines+machine), step.address(11, 9201)
	case comesMoved:
		r.Address = step.address(10, 9402)
	case comesWithLess:
		r.Pools = []string{"pool-1"}
	case comesWithMore:
		r.Pools = []string{"pool-0", "pool-1", "pool-2", "Pool-1", "pool-1-", "pool-1."}
		fallthrough
	case comesUpgraded:
		version = "0.2.0-rc.1"
		gpus = append(gpus,
			nodeapi.GPU{DeviceID: 1, Name: "GPU 2", VRAMTotalBytes: 2*oddSize + 1, ComputeCapability: "9.0"})
	}
	if step.act == comesBare {
		none := []nodeapi.GPU{} // which the orchestratord in service requires
		r.Pools, r.Version, r.Capabilities = []string{}, nil, nodeapi.NodeCapabilities{Gpus: &none}
		return r
	}
	if step.node > 0 {
		r.Pools = append(r.Pools, fmt.Sprint("pool-of-", step.node))
	}
	cores, memory := int32(16*len(gpus)), int64(len(gpus))*3*oddSize
	r.Capabilities = nodeapi.NodeCapabilities{
		GPUCount: int32(len(gpus)), TotalVRAMMB: int64(24_000 * (1<<len(gpus) - 1)),
		CUDAVersion: fmt.Sprintf("12.%d", len(gpus)),
		Gpus:        &gpus, CPUCores: &cores, RAMTotalBytes: &memory,
	}
	return r
}

// address is one that no other node of a sequence has.
func (s step) address(host, port int) string {
	return fmt.Sprintf("http://192.0.2.%d:%d", host, port+s.node)
}

// heartbeatOf is what a node reports of its pools.
func heartbeatOf(act act, pools []string) nodeapi.HeartbeatRequest {
	beat := nodeapi.HeartbeatRequest{Timestamp: time.Now().UTC(), Pools: []nodeapi.PoolStatus{}}
	switch act {
	case beatsEmpty:
		return beat
	case beatsAhead:
		beat.Timestamp = beat.Timestamp.Add(time.Hour)
	}
	one := 0 // of two pools the first drains, of more the last
	if len(pools) > 2 {
		one = len(pools) - 1
	}
	for i, pool := range pools {
		drains := act == drainsAll || act == drainsOne && i == one && len(pools) > 1
		draining, slots, memory := drains, int32(4), int64(18_000_000_000)
		beat.Pools = append(beat.Pools, nodeapi.PoolStatus{
			PoolID: pool, Ready: !drains && act != beatsIdle, Draining: &draining, SlotsFree: 2, SlotsTotal: &slots,
			VRAMFreeBytes: &memory,
		})
	}
	return beat
}
