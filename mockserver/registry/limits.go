package registry

import (
	"errors"
	"unsafe"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Limits bound what a Registry takes. What is zero is not bounded.
type Limits struct {
	Nodes int   // how many nodes are on record at once
	Bytes int64 // how much memory they take, with registrations and last statuses, roughly
}

// Why a Change was refused.
var (
	ErrTooManyNodes = errors.New("there are as many nodes on record as may be")
	ErrTooManyBytes = errors.New("what is on record takes as much memory as it may")
)

// SetLimits changes what the registry takes from now on. Nodes that are on record stay.
func (r *Registry) SetLimits(limits Limits) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = limits
}

// room returns why a record may not take more bytes than it does, if so. One that gets no
// larger always may, so that a node which is on record is not given up for what others say. What
// nodes have left behind is given up for those that are there.
func (r *Registry) room(was, will int64) error {
	limit := r.limits.Bytes
	if limit == 0 || will <= was {
		return nil
	}
	if r.bytes+will-was > limit {
		r.forgetLeft()
	}
	if r.bytes+will-was > limit || r.bulkBytes+bulk(will)-bulk(was) > limit/2 {
		return ErrTooManyBytes
	}
	return nil
}

// roomForNode returns why there is no room for another node, if so.
func (r *Registry) roomForNode(bytes int64) error {
	if r.limits.Nodes > 0 && len(r.nodes) >= r.limits.Nodes {
		return ErrTooManyNodes
	}
	return r.room(0, recordBytes+bytes)
}

// bulk returns what a record of so many bytes counts as bulk.
func bulk(bytes int64) int64 {
	if bytes <= bulky {
		return 0
	}
	return bytes
}

// bulky is the size in bytes from which on a record is bulky: it says far more than nodes
// usually do. Half of the room is kept from those, so that a few do not take it from all.
const bulky = 16 << 10

// recordBytes is what a record takes but for what its node has said. That is itself, its
// places in the map and in the order, and a history of two changes.
const recordBytes = int64(unsafe.Sizeof(record{})+2*unsafe.Sizeof(Transition{})) + 96

// bytes returns what a record takes, roughly.
func (r *record) bytes() int64 { return recordBytes + r.registrationBytes + r.poolsBytes }

// resize accounts for a record that took was bytes until now.
func (r *Registry) resize(rec *record, was int64) {
	will := rec.bytes()
	r.bytes += will - was
	r.bulkBytes += bulk(will) - bulk(was)
}

// registrationBytes returns what a registration takes outside of its record.
func registrationBytes(r *nodeapi.RegisterRequest) int64 {
	n := textBytes(r.NodeID) + textBytes(r.MachineID) + textBytes(r.Address) + textBytes(r.Capabilities.CUDAVersion) +
		pointedBytes(r.Version)
	for _, pool := range r.Pools {
		n += headerBytes + textBytes(pool)
	}
	if gpus := r.Capabilities.Gpus; gpus != nil {
		for _, gpu := range *gpus {
			n += int64(unsafe.Sizeof(gpu)) + textBytes(gpu.Name) + textBytes(gpu.ComputeCapability)
		}
	}
	return n
}

// poolsBytes returns what the status of pools takes outside of its record.
func poolsBytes(pools []nodeapi.PoolStatus) int64 {
	var n int64
	for i := range pools {
		pool := &pools[i]
		n += int64(unsafe.Sizeof(*pool)) + optionalBytes + textBytes(pool.PoolID) + pointedBytes(pool.Engine)
		if models := pool.ModelsAvailable; models != nil {
			for _, model := range *models {
				n += headerBytes + textBytes(model)
			}
		}
	}
	return n
}

const (
	headerBytes   = int64(unsafe.Sizeof("")) // of a text, beside its characters
	optionalBytes = 32                       // of the numbers and switches of a pool that it may leave out
	blockBytes    = 16                       // memory is allocated in multiples of it, roughly
)

func textBytes[T ~string](text T) int64 {
	return (int64(len(text)) + blockBytes - 1) / blockBytes * blockBytes
}

func pointedBytes(text *string) int64 {
	if text == nil {
		return 0
	}
	return headerBytes + textBytes(*text)
}
