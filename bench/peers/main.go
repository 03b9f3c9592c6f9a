// Command peers measures the mock orchestratord beside other servers that could stand in
// its place, all in one run, in turn: what they refuse, how many requests they answer,
// how fast and at what cost. It prints tables in Markdown.
//
//	peers [flags] [scenario…]
//
// Scenarios are heartbeat, register and scale; without any it measures the first two.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// settings is what the command line states.
type settings struct {
	home, bin   string
	json        string
	rounds      int
	duration    time.Duration
	warmUp      time.Duration
	starts      int
	connections int
	nodes       int
	only        *regexp.Regexp
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s, scenarios := parse()
	err := run(ctx, s, scenarios)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "peers: interrupted; all that was started has ended")
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func parse() (s settings, scenarios []string) {
	flag.StringVar(&s.home, "home", ".", "`folder` with the peers' settings and node_modules")
	flag.StringVar(&s.bin, "bin", "../bin", "`folder` with the built programs")
	flag.StringVar(&s.json, "json", "", "`file` to write all figures to")
	flag.IntVar(&s.rounds, "rounds", 3, "how often each is measured")
	flag.DurationVar(&s.duration, "duration", 10*time.Second, "how long one measurement takes")
	flag.DurationVar(&s.warmUp, "warm-up", 15*time.Second, "how long each is loaded before the first measurement")
	flag.IntVar(&s.starts, "starts", 5, "how often the start of each is timed")
	flag.IntVar(&s.connections, "connections", 32, "how many connections carry the load")
	flag.IntVar(&s.nodes, "nodes", 100_000, "how many nodes the scenario scale registers, against 100")
	only := flag.String("only", "", "measure only what this `pattern` fits")
	flag.Parse()
	s.only = regexp.MustCompile(*only)
	scenarios = flag.Args()
	if len(scenarios) == 0 {
		scenarios = []string{"heartbeat", "register"}
	}
	return s, scenarios
}

func run(ctx context.Context, s settings, names []string) error {
	if err := checkMachine(); err != nil {
		return err
	}
	traffic, err := readTraffic(s.home)
	if err != nil {
		return err
	}
	r := report{Machine: describeMachine(ctx), Settings: describe(s)}
	var failed error
	for _, name := range names {
		scenario, err := newScenario(name, s, traffic)
		if err != nil {
			return err
		}
		results, err := measure(ctx, s, scenario)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		failed = errors.Join(failed, broken(results))
		r.Scenarios = append(r.Scenarios, scenarioReport{scenario, results})
	}
	r.print(os.Stdout)
	return errors.Join(failed, r.save(s.json))
}

// checkMachine tells what the machine lacks that no contestant can do without.
func checkMachine() error {
	var missing []error
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		missing = append(missing, errors.New("this needs Linux: what processes use is read from /proc"))
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		missing = append(missing, errors.New("wrk is missing; install the package wrk of your system, as with: apt-get install wrk"))
	}
	return errors.Join(missing...)
}
