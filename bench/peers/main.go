// Command peers measures the mock orchestratord beside other servers that could stand in its
// place, all in one run, in turn. It measures what they refuse, how many requests they answer,
// how fast and at what cost. It prints tables in Markdown.
//
//	peers [flags] [scenario…]
//
// Scenarios are heartbeat, register and scale; without any it measures the first two.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s, names := parse()
	if err := run(ctx, s, names); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run checks its whole command line before it measures anything, which takes minutes.
func run(ctx context.Context, s settings, names []string) error {
	if err := s.check(); err != nil {
		return err
	}
	traffic, err := readTraffic(s.home)
	if err != nil {
		return err
	}
	var scenarios []scenario
	for _, name := range names {
		scenario, err := newScenario(name, s, traffic)
		if err != nil {
			return err
		}
		scenarios = append(scenarios, scenario)
	}
	if err := checkMachine(); err != nil {
		return err
	}
	return measureAll(ctx, s, scenarios, os.Stdout)
}

// measureAll measures scenarios one after the other, and reports those that it came to
// the end of, whatever became of the rest.
func measureAll(ctx context.Context, s settings, scenarios []scenario, w io.Writer) error {
	r := report{Machine: describeMachine(ctx), Settings: describe(s)}
	var failed error
	for _, scenario := range scenarios {
		results, err := measure(ctx, s, scenario)
		if err != nil {
			failed = errors.Join(failed,
				fmt.Errorf("%s was not measured to the end; all that was started has ended: %w", scenario.Name, err))
			break
		}
		failed = errors.Join(failed, broken(results))
		r.Scenarios = append(r.Scenarios, scenarioReport{scenario, results})
	}
	if len(r.Scenarios) == 0 {
		return failed
	}
	// Ctrl-C may have ended what reads w, and writing to it then ends this program.
	failed = errors.Join(failed, r.save(s.json))
	r.print(w)
	return failed
}

// checkMachine reports what the machine lacks that every contestant needs.
func checkMachine() error {
	var missing []error
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		missing = append(missing, errors.New("this needs Linux: what processes use is read from /proc"))
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		missing = append(missing,
			errors.New("wrk is missing; install the package wrk of your system, as with: apt-get install wrk"))
	}
	return errors.Join(missing...)
}
