package journal

import (
	"fmt"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// poolFits returns what an expectation states of a pool; first of all, that it is
// reported.
func poolFits(e control.PoolExpectation) []condition {
	all := []condition{onPool(e.PoolID, func(*nodeapi.PoolStatus) string { return "" })}
	if e.Ready != nil {
		all = append(all, onPool(e.PoolID, func(p *nodeapi.PoolStatus) string {
			return otherwise("ready", *e.Ready, p.Ready)
		}))
	}
	if e.Draining != nil {
		all = append(all, onPool(e.PoolID, func(p *nodeapi.PoolStatus) string {
			return otherwise("draining", *e.Draining, optional.Or(p.Draining, false))
		}))
	}
	if e.MinSlotsFree != nil {
		all = append(all, onPool(e.PoolID, func(p *nodeapi.PoolStatus) string {
			return slots(p.SlotsFree, "at least", *e.MinSlotsFree, p.SlotsFree >= *e.MinSlotsFree)
		}))
	}
	if e.MaxSlotsFree != nil {
		all = append(all, onPool(e.PoolID, func(p *nodeapi.PoolStatus) string {
			return slots(p.SlotsFree, "at most", *e.MaxSlotsFree, p.SlotsFree <= *e.MaxSlotsFree)
		}))
	}
	return all
}

// onPool returns the condition that a heartbeat reports a pool, and that there is nothing
// wrong with that.
func onPool(id nodeapi.PoolID, wrong func(*nodeapi.PoolStatus) string) condition {
	return condition{
		fits: func(s *sight) bool {
			pool := s.pool(id)
			return pool != nil && wrong(pool) == ""
		},
		miss: func(s *sight) string {
			if pool := s.pool(id); pool != nil {
				return id + " should " + wrong(pool)
			}
			return s.without(id)
		},
	}
}

// otherwise says how a pool is if it should be otherwise, else nothing.
func otherwise(what string, should, is bool) string {
	switch {
	case should == is:
		return ""
	case should:
		return "be " + what + ", but is not"
	}
	return "not be " + what + ", but is"
}

// slots says how many free slots a pool has if they do not fit, else nothing.
func slots(free int32, bound string, limit int32, fits bool) string {
	if fits {
		return ""
	}
	return fmt.Sprintf("have %s %s free, but has %d", bound, plural.Count(limit, "slot"), free)
}

// sight is a record that conditions look at.
type sight struct {
	*record
	pools *[]nodeapi.PoolStatus // nil until asked for
}

// pool returns how a heartbeat reports a pool, or nil if it does not.
func (s *sight) pool(id nodeapi.PoolID) *nodeapi.PoolStatus {
	if s.pools == nil {
		s.pools = &[]nodeapi.PoolStatus{}
		if s.operation == control.OperationHeartbeatNode {
			s.pools = reported(s.bytes(partRequestBody))
		}
	}
	for i := range *s.pools {
		if pool := &(*s.pools)[i]; pool.PoolID == id {
			return pool
		}
	}
	return nil
}

// reported returns the pools of a heartbeat, as far as it was kept and can be read.
func reported(body []byte) *[]nodeapi.PoolStatus {
	var beat nodeapi.HeartbeatRequest
	_ = exactjson.Unmarshal(whole(body), &beat) // what does not fit is passed over
	return &beat.Pools
}

// without says that a pool is not reported.
func (s *sight) without(id nodeapi.PoolID) string {
	switch kept := len(s.bytes(partRequestBody)); {
	case s.operation != control.OperationHeartbeatNode:
		return "is no heartbeat, which reports pools"
	case int64(kept) < s.requestBytes:
		return fmt.Sprintf("does not report %s in the first %d of %d bytes, which is what was kept", id, kept,
			s.requestBytes)
	}
	return "does not report " + id
}
