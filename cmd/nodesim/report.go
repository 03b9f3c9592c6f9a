package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/llama-orch/node-registration/internal/foreign"
)

// report is the result of a fleet, or the sum of several.
type report struct {
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
func (s *swarm) report(took time.Duration, interrupted bool, counted census) *report {
	r := &report{
		Fleets:      []member{{Prefix: s.prefix, Nodes: s.nodes, Interval: s.directed().Seconds(), Ran: took.Seconds()}},
		Nodes:       s.nodes,
		Registered:  int(s.registered.Load()),
		Interrupted: interrupted,
		tally:       s.ledger.now(),
		Trouble: troubleMade{
			Killed:  s.killed.Load(),
			Revived: s.revived.Load(),
			Changed: s.changed.Load(),
		},
		Orchestratord: counted,
		Machine: machine{
			Base:        s.memory.base,
			Memory:      s.memory.most.Load() - s.memory.base,
			Goroutines:  s.memory.running.Load() - s.memory.goroutines,
			Connections: s.gauge.connections,
			InFlight:    s.gauge.most.Load(),
			Waited:      s.gauge.waited.Load(),
			Waiting:     max(s.gauge.most.Load()-s.gauge.connections, 0),
			NoFile:      s.gauge.noFile.Load(),
			NoPort:      s.gauge.noPort.Load(),
		},
	}
	r.Unregistered = r.Nodes - r.Registered
	return r
}

// directed returns the heartbeat interval of the nodes, as orchestratord has directed it.
func (s *swarm) directed() time.Duration {
	if l := s.any(); l != nil {
		return l.node.Status().Interval
	}
	return s.interval()
}

// add adds the report of other fleets. It fails if the reports share a fleet.
func (r *report) add(other *report) error {
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

// broken lists the promises that were broken, nil when all were kept.
func (r *report) broken() (broken []string) {
	unregistered := "nodes not registered"
	if r.Interrupted {
		unregistered = "nodes not registered when the fleet was interrupted"
	}
	for _, promise := range []struct {
		breaches int64
		text     string
	}{
		{int64(r.Unregistered), unregistered},
		{r.Beats.Missed, "heartbeats missed"},
		{r.Beats.Late, "heartbeats late"},
		{int64(r.Orchestratord.Offline), "nodes up, but Offline to orchestratord"},
		{int64(r.Orchestratord.Failed), "nodes up, but Failed to orchestratord"},
		{int64(r.Orchestratord.Absent), "nodes up, but unknown to orchestratord"},
		{int64(r.Left), "nodes left on record"},
	} {
		if promise.breaches > 0 {
			broken = append(broken, promise.text+": "+grouped(promise.breaches))
		}
	}
	if r.Orchestratord.Error != "" {
		broken = append(broken, "orchestratord could not be asked for its nodes: "+r.Orchestratord.Error)
	}
	return broken
}

// sluggish is the delay of a heartbeat from which its machine counts as too small for the
// fleet.
const sluggish = lateAfter / 2

// limits lists the limits of the fleet's own machine that were met.
func (r *report) limits() (met []string) {
	m := r.Machine
	if m.Waited > 0 {
		met = append(met, fmt.Sprintf("%s requests waited for one of %s connections, up to %s at once: --connections sets how many",
			grouped(m.Waited), grouped(m.Connections), grouped(m.Waiting)))
	}
	if m.NoFile > 0 {
		met = append(met, grouped(m.NoFile)+" connections found no file descriptor: raise ulimit -n, or lower --connections")
	}
	if m.NoPort > 0 {
		met = append(met, grouped(m.NoPort)+" connections found no local port: lower --connections, or use more machines")
	}
	if r.SentLate > sluggish {
		met = append(met, fmt.Sprintf("a heartbeat was sent %v after it was due: this machine is too busy for so many nodes", r.SentLate.Round(time.Millisecond)))
	}
	return met
}

// errBroken ends a command that has reported a broken promise.
var errBroken = errors.New("a promise was broken")

// brokenStatus is the exit status after a broken promise.
const brokenStatus = 3

// clean makes the text of a report safe to show: it comes from orchestratord, and from
// the files that are merged.
func (r *report) clean() {
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

// reportWriter writes a report in one format.
type reportWriter func(io.Writer, *report) error

// conclude writes a report, and returns errBroken if a promise was broken.
func (write reportWriter) conclude(w io.Writer, r *report) error {
	r.clean()
	if err := write(w, r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if r.broken() != nil {
		return errBroken
	}
	return nil
}

// writerOf returns the writer of a format.
func writerOf(format string) (reportWriter, error) {
	switch format {
	case "text":
		return writeTable, nil
	case "json":
		return writeJSON, nil
	}
	return nil, fmt.Errorf("report format %q: must be text or json", format)
}

func writeJSON(w io.Writer, r *report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
