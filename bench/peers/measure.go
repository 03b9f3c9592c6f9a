package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// result is all that a contestant showed.
type result struct {
	Name    string
	Skipped string          `json:",omitempty"` // why it was not measured
	Broken  bool            `json:",omitempty"` // as it should have been
	Answers []int           // to the scenario's checks
	Starts  []time.Duration // from the start to the first good answer
	Idle    usage           // memory after that answer
	Loaded  usage           // memory with all nodes registered, before the load
	Rounds  []round

	contestant contestant
	process    *process
}

// measure lets the contestants of a scenario take turns, so that whatever else the
// machine does hits all of them alike.
func measure(ctx context.Context, s settings, scenario scenario) ([]*result, error) {
	var results []*result
	for _, c := range scenario.contestants {
		r := &result{Name: c.name, contestant: c}
		if c.missing != nil {
			r.Skipped = c.missing.Error()
			progress(scenario, "%s is skipped: %s", c.name, r.Skipped)
		}
		results = append(results, r)
	}
	defer func() {
		for _, r := range results {
			if r.process != nil {
				r.process.stop()
			}
		}
	}()
	for _, step := range []struct {
		times int
		do    func(*result) error
	}{
		{s.starts, func(r *result) error { return r.timeStart(ctx, scenario) }},
		{1, func(r *result) error { return r.prepare(ctx, s, scenario) }},
		{1, func(r *result) error { return r.warmUp(ctx, s, scenario) }},
		{s.rounds, func(r *result) error { return r.measure(ctx, s, scenario) }},
	} {
		for range step.times {
			for _, r := range results {
				r.take(ctx, scenario, step.do)
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
			}
		}
	}
	return results, nil
}

// take lets a contestant do a step. One that fails is out, and the others go on.
func (r *result) take(ctx context.Context, scenario scenario, step func(*result) error) {
	if r.Skipped != "" {
		return
	}
	if err := step(r); err != nil && ctx.Err() == nil {
		r.Skipped, r.Broken = err.Error(), true
		progress(scenario, "%s is out: %v", r.Name, err)
	}
}

// timeStart starts a contestant and ends it.
func (r *result) timeStart(ctx context.Context, scenario scenario) error {
	process, took, err := start(ctx, r.contestant, scenario.Register)
	if err != nil {
		return err
	}
	process.stop()
	r.Starts = append(r.Starts, took)
	progress(scenario, "%s: first answer after %v", r.Name, took.Round(time.Millisecond))
	return nil
}

// prepare starts a contestant for good and looks at its answers.
func (r *result) prepare(ctx context.Context, s settings, scenario scenario) (err error) {
	const settle = time.Second
	if r.process, _, err = start(ctx, r.contestant, scenario.Register); err != nil {
		return err
	}
	time.Sleep(settle)
	if r.Idle, err = r.process.usage(); err != nil {
		return err
	}
	if r.Answers, err = r.process.answers(ctx, scenario); err != nil {
		return err
	}
	if err := r.process.register(ctx, scenario, r.contestant.nodes, s.connections); err != nil {
		return err
	}
	r.Loaded, err = r.process.usage()
	return err
}

// warmUp is for the compilers of Java and JavaScript, for connections and caches.
func (r *result) warmUp(ctx context.Context, s settings, scenario scenario) error {
	if s.warmUp == 0 {
		return nil
	}
	_, err := r.process.load(ctx, s, scenario, r.contestant.nodes, s.warmUp)
	progress(scenario, "%s: warm", r.Name)
	return err
}

func (r *result) measure(ctx context.Context, s settings, scenario scenario) error {
	measured, err := r.process.load(ctx, s, scenario, r.contestant.nodes, s.duration)
	if err != nil {
		return err
	}
	r.Rounds = append(r.Rounds, measured)
	progress(scenario, "%s: %.0f requests/s, %v each on the CPU", r.Name, measured.PerSecond, measured.CPU)
	return nil
}

// broken returns what kept contestants from being measured, but for what the machine
// lacks.
func broken(results []*result) (err error) {
	for _, r := range results {
		if r.Broken {
			err = errors.Join(err, fmt.Errorf("%s: %s", r.Name, r.Skipped))
		}
	}
	return err
}

// progress writes a line for whoever waits.
func progress(scenario scenario, format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, scenario.Name+": "+format+"\n", arguments...)
}
