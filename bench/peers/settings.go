package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

func parse() (s settings, names []string) {
	s.only = regexp.MustCompile("")
	flag.StringVar(&s.home, "home", ".", "`folder` with the peers' settings and node_modules")
	flag.StringVar(&s.bin, "bin", "../bin", "`folder` with the built programs")
	flag.StringVar(&s.json, "json", "", "`file` to write all figures to")
	flag.IntVar(&s.rounds, "rounds", 3, "how often each is measured")
	flag.DurationVar(&s.duration, "duration", 10*time.Second, "how long one measurement takes, in whole seconds")
	flag.DurationVar(&s.warmUp, "warm-up", 15*time.Second,
		"how long each is loaded before the first measurement, in whole seconds")
	flag.IntVar(&s.starts, "starts", 5, "how often the start of each is timed")
	flag.IntVar(&s.connections, "connections", 32, "how many connections carry the load")
	flag.IntVar(&s.nodes, "nodes", 100_000, "how many nodes the scenario scale registers, against 100")
	flag.TextVar(s.only, "only", s.only, "measure only what this `pattern` fits")
	flag.Parse()
	names = flag.Args()
	if len(names) == 0 {
		names = []string{"heartbeat", "register"}
	}
	return s, names
}

// check reports all settings that cannot be measured.
func (s settings) check() error {
	var wrong []error
	for _, count := range []struct {
		name      string
		is, least int
	}{
		{"rounds", s.rounds, 1},
		{"starts", s.starts, 0},
		{"connections", s.connections, 1},
		{"nodes", s.nodes, 1},
	} {
		if count.is < count.least {
			wrong = append(wrong, fmt.Errorf("-%s %d: it is at least %d", count.name, count.is, count.least))
		}
	}
	for _, load := range []struct {
		name      string
		is, least time.Duration
	}{
		{"duration", s.duration, time.Second},
		{"warm-up", s.warmUp, 0},
	} {
		if load.is < load.least || load.is%time.Second != 0 {
			wrong = append(wrong,
				fmt.Errorf("-%s %v: wrk takes whole seconds, at least %v", load.name, load.is, load.least))
		}
	}
	if _, err := os.Stat(filepath.Dir(s.json)); err != nil {
		wrong = append(wrong, fmt.Errorf("-json %s: %w", s.json, err))
	}
	return errors.Join(wrong...)
}
