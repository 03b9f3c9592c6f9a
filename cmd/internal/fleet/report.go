package fleet

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// Report is the result of a fleet, or the sum of several.
type Report struct {
	Fleets       []member `json:"fleets"`
	Nodes        int      `json:"nodes"`
	Registered   int      `json:"registered"`
	Unregistered int      `json:"unregistered"`
	Interrupted  bool     `json:"interrupted"` // before it was over by itself
	tally
	Trouble       troubleMade `json:"trouble"`
	Orchestratord census      `json:"orchestratord"`
	Machine       machine     `json:"machine"`
	Left          int         `json:"left"` // nodes that could not be deregistered
}

// member is one fleet of a report.
type member struct {
	Prefix   string  `json:"prefix"`
	Nodes    int     `json:"nodes"`
	Interval float64 `json:"interval_seconds"`
	Ran      float64 `json:"ran_seconds"` // ramp and all
}

// troubleMade is what was done to a fleet on purpose.
type troubleMade struct {
	Killed  int64 `json:"killed"`
	Revived int64 `json:"revived"`
	Changed int64 `json:"changed"`
}

// machine is how much of its machine a fleet used, and which limits it reached.
type machine struct {
	Base        int64 `json:"base_bytes"`   // memory before there were nodes
	Memory      int64 `json:"memory_bytes"` // the most there was, beyond the base
	Goroutines  int64 `json:"goroutines"`   // beyond those before there were nodes
	Connections int64 `json:"connections"`  // that the fleet was allowed
	InFlight    int64 `json:"in_flight"`    // requests at once, at most
	Waited      int64 `json:"waited"`       // requests that found all connections taken
	Waiting     int64 `json:"waiting"`      // of these at once, at most
	NoFile      int64 `json:"no_file"`      // connections that failed for lack of a file descriptor
	NoPort      int64 `json:"no_port"`      // connections that failed for lack of a local port
}

// report returns the result of the fleet so far.
func (f *fleet) report(took time.Duration, interrupted bool, counted census) *Report {
	r := &Report{
		Fleets: []member{
			{Prefix: f.Prefix, Nodes: f.Nodes, Interval: f.directed().Seconds(), Ran: took.Seconds()},
		},
		Nodes:       f.Nodes,
		Registered:  int(f.registered.Load()),
		Interrupted: interrupted,
		tally:       f.ledger.now(),
		Trouble: troubleMade{
			Killed:  f.killed.Load(),
			Revived: f.revived.Load(),
			Changed: f.changed.Load(),
		},
		Orchestratord: counted,
		Machine: machine{
			Base:        f.memory.base,
			Memory:      f.memory.most.Load() - f.memory.base,
			Goroutines:  f.memory.running.Load() - f.memory.goroutines,
			Connections: f.gauge.connections,
			InFlight:    f.gauge.most.Load(),
			Waited:      f.gauge.waited.Load(),
			Waiting:     max(f.gauge.most.Load()-f.gauge.connections, 0),
			NoFile:      f.gauge.noFile.Load(),
			NoPort:      f.gauge.noPort.Load(),
		},
	}
	r.Unregistered = r.Nodes - r.Registered
	return r
}

// directed returns the heartbeat interval of the nodes, as orchestratord has directed it.
func (f *fleet) directed() time.Duration {
	if l := f.any(); l != nil {
		return l.node.Status().Interval
	}
	return f.interval()
}

// Add adds the report of other fleets. It fails if the reports share a fleet.
func (r *Report) Add(other *Report) error {
	for _, mine := range r.Fleets {
		for _, theirs := range other.Fleets {
			if mine.Prefix == theirs.Prefix {
				return fmt.Errorf("fleet %q is in two reports", mine.Prefix)
			}
		}
	}
	r.Fleets = append(r.Fleets, other.Fleets...)
	r.Nodes += other.Nodes
	r.Registered += other.Registered
	r.Unregistered += other.Unregistered
	r.Interrupted = r.Interrupted || other.Interrupted
	r.Left += other.Left
	r.Trouble.Killed += other.Trouble.Killed
	r.Trouble.Revived += other.Trouble.Revived
	r.Trouble.Changed += other.Trouble.Changed
	r.tally.add(other.tally)
	r.Orchestratord.add(other.Orchestratord)
	r.Machine.add(other.Machine)
	return nil
}

func (m *machine) add(other machine) {
	m.Base += other.Base
	m.Memory += other.Memory
	m.Goroutines += other.Goroutines
	m.Connections += other.Connections
	m.InFlight += other.InFlight
	m.Waited += other.Waited
	m.Waiting += other.Waiting
	m.NoFile += other.NoFile
	m.NoPort += other.NoPort
}

// sluggish is the delay of a heartbeat from which its machine counts as too small for the
// fleet.
const sluggish = lateAfter / 2

// limits lists the limits of the fleet's own machine that were met.
func (r *Report) limits() (met []string) {
	m := r.Machine
	if m.Waited > 0 {
		met = append(met,
			fmt.Sprintf("%s requests waited for one of %s connections, up to %s at once: --connections sets how many",
				grouped(m.Waited), grouped(m.Connections), grouped(m.Waiting)))
	}
	if m.NoFile > 0 {
		met = append(met, grouped(m.NoFile)+
			" connections found no file descriptor: raise ulimit -n, or lower --connections")
	}
	if m.NoPort > 0 {
		met = append(met, grouped(m.NoPort)+
			" connections found no local port: lower --connections, or use more machines")
	}
	if r.SentLate > sluggish {
		met = append(met,
			fmt.Sprintf("a heartbeat was sent %v after it was due: this machine is too busy for so many nodes",
				r.SentLate.Round(time.Millisecond)))
	}
	return met
}

// clean makes the text of a report safe to show: it comes from orchestratord, and from
// the files that are merged.
func (r *Report) clean() {
	for i := range r.Fleets {
		r.Fleets[i].Prefix = foreign.Line(r.Fleets[i].Prefix)
	}
	r.Orchestratord.Error = foreign.Line(r.Orchestratord.Error)
	kinds := make(map[string]int64, len(r.Failures))
	for kind, n := range r.Failures {
		kinds[foreign.Line(kind)] += n
	}
	r.Failures = kinds
}

// writeJSON writes the report as JSON, which Merge reads.
func (r *Report) writeJSON(w io.Writer) error {
	r.clean()
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
