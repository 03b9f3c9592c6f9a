package registration_test

import (
	"math/rand/v2"
	"time"
)

const (
	// calm is longer than anything that orchestratord can ask for.
	calm = 4 * time.Minute
	// lastCalm is longer than a node goes without registering.
	lastCalm = 8 * time.Minute
)

// storm is a time in which things go wrong, followed by a calm.
type storm struct {
	from, to     time.Duration
	faults       []string      // what can happen to a request
	share        float64       // of the requests that something happens to
	down, up     time.Duration // orchestratord is away in between
	amnesia      bool          // and comes back with an empty registry
	rotation     time.Duration // orchestratord requires the next token from here on
	partitioned  []int         // nodes that reach nobody
	clockStep    time.Duration // the nodes' clocks on the wall are put by this
	serviceStep  time.Duration // orchestratord's clock on the wall is put by this
	badCallbacks bool          // status callbacks block, fail and panic
	badTokens    bool          // token sources fail and hang
}

// faults are what networks, proxies, routers and orchestratords do to requests. Each is a
// kind of its own; a storm draws some of them, so that no kind drowns in the others.
var faults = []string{
	"lost request", "refused", "duplicated", "lost answer", "reset", "late request", "late answer",
	"cut answer", "garbage", "stalled answer", "no success",
	"101", "204", "302", "400", "401", "403", "404", "405", "413", "418", "422", "429", "500", "502", "503",
}

func newStorm(random *rand.Rand, from time.Duration, nodes int) storm {
	s := storm{from: from, to: from + span(random, 30*time.Second, 4*time.Minute), share: random.Float64() * 0.7}
	within := func() time.Duration { return span(random, s.from, s.to) }
	for range 1 + random.IntN(8) {
		s.faults = append(s.faults, faults[random.IntN(len(faults))])
	}
	if random.IntN(3) > 0 {
		s.down, s.up = within(), within()
		s.down, s.up = min(s.down, s.up), max(s.down, s.up)
		s.amnesia = random.IntN(2) == 0
	}
	if random.IntN(3) == 0 {
		s.rotation = within()
	}
	if random.IntN(2) == 0 {
		for i := range nodes {
			if random.IntN(3) == 0 {
				s.partitioned = append(s.partitioned, i)
			}
		}
	}
	s.clockStep = clockStep(random)
	s.serviceStep = clockStep(random)
	s.badCallbacks = random.IntN(2) == 0
	s.badTokens = random.IntN(3) == 0
	return s
}

// clockStep is by how much a clock on the wall is put, most often not at all.
func clockStep(random *rand.Rand) time.Duration {
	switch random.IntN(6) {
	case 0:
		return span(random, time.Second, 2*time.Hour)
	case 1:
		return -span(random, time.Second, 2*time.Hour)
	case 2:
		return span(random, 0, time.Minute) - 30*time.Second
	default:
		return 0
	}
}

// direction is an interval that orchestratord asks for from some time on.
type direction struct {
	from time.Duration
	ms   int64
}

// newDirections draws intervals: the usual one for half of the time, and what an operator,
// or a fault, may make of it. One of a second does not last, since it costs the most.
func newDirections(random *rand.Rand, duration time.Duration) []direction {
	directions := []direction{{0, 10_000}}
	for from := time.Duration(0); from < duration; {
		from += span(random, time.Minute, 8*time.Minute)
		odd := []int64{1000, 1500, 5000, 12_000, 14_900, 25_000, 100, 0, -5, 1 << 40, 90_000}
		directions = append(directions, direction{from, odd[random.IntN(len(odd))]})
		from += span(random, 10*time.Second, 3*time.Minute)
		directions = append(directions, direction{from, 10_000})
	}
	return directions
}

func span(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Int64N(int64(to-from)))
}
