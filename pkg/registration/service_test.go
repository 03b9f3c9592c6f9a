package registration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// service is an orchestratord as the one in service is: a node that it has marked Offline
// stays so, and has its heartbeats answered 200, until it registers again; the pools of a
// heartbeat are merged with those that it knows; nodes time out by the clock on the wall.
type service struct {
	wall func() time.Time // what its clock shows
	asks func() int64     // for a heartbeat every so many milliseconds

	mu      sync.Mutex
	begin   time.Time
	records map[string]*record
}

type record struct {
	life   *life
	status nodeapi.NodeStatus
	heard  time.Time // by the clock on the wall
	pools  map[string]nodeapi.PoolStatus
}

func newService(wall func() time.Time, asks func() int64) *service {
	return &service{wall: wall, asks: asks, begin: time.Now(), records: map[string]*record{}}
}

// forget empties the registry.
func (s *service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.records)
}

// watch marks the nodes Offline that have been silent for too long.
func (s *service) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		if r.status != nodeapi.NodeStatusOffline && s.wall().Sub(r.heard) > r.life.timeout {
			r.status = nodeapi.NodeStatusOffline
		}
	}
}

// handle answers a request of a node.
func (s *service) handle(l *life, op, id string, body []byte) (status int, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[id]
	switch op {
	case "register":
		return s.register(l, id)
	case "heartbeat":
		if r == nil {
			return http.StatusNotFound, `{"success":false,"next_heartbeat_ms":10000}`
		}
		var beat nodeapi.HeartbeatRequest
		_ = json.Unmarshal(body, &beat)
		r.takes(beat, s.wall())
		return http.StatusOK, `{"success":true,"next_heartbeat_ms":` + number(s.asks()) + `}`
	default:
		if r == nil {
			return http.StatusNotFound, ""
		}
		delete(s.records, id)
		return http.StatusNoContent, ""
	}
}

// number writes a number as JSON allows, and as some servers do.
func number(n int64) string {
	switch {
	case n == 1<<40:
		return "9223372036854775808"
	case n%1000 != 0:
		return fmt.Sprintf("%d.0", n)
	case n == 5000:
		return "5e3"
	}
	return fmt.Sprint(n)
}

// register turns away a machine that has taken the name of another one.
func (s *service) register(l *life, id string) (status int, answer string) {
	if l.node.rival {
		return http.StatusOK, `{"success":false,"message":"the name is taken","node_id":"` + id + `"}`
	}
	pools := map[string]nodeapi.PoolStatus{}
	s.records[id] = &record{life: l, status: nodeapi.NodeStatusRegistering, heard: s.wall(), pools: pools}
	return http.StatusOK, `{"success":true,"message":"registered","node_id":"` + id + `"}`
}

func (r *record) takes(beat nodeapi.HeartbeatRequest, now time.Time) {
	r.heard = now
	if r.status == nodeapi.NodeStatusRegistering {
		r.status = nodeapi.NodeStatusOnline
	}
	for _, pool := range beat.Pools {
		r.pools[pool.PoolID] = pool
	}
}

// lists reports whether a node is on the list, from which work is given.
func (s *service) lists(id string) (l *life, listed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[id]
	if r == nil {
		return nil, false
	}
	return r.life, r.status == nodeapi.NodeStatusOnline && s.wall().Sub(r.heard) <= r.life.timeout
}
