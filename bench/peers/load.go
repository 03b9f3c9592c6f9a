package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// round is what one measurement showed.
type round struct {
	Requests  int           // answered
	Took      time.Duration // for all of them
	PerSecond float64
	P50, P99  time.Duration
	Refused   int           // answered with a status of 400 or more
	Failed    int           // not answered
	CPU       time.Duration // of the contestant, per request
	Memory    usage         // the most that was seen
}

// load lets wrk send requests for a while and watches the contestant meanwhile.
func (p *process) load(
	ctx context.Context, s settings, scenario scenario, nodes int, duration time.Duration,
) (round, error) {
	before, err := p.usage()
	if err != nil {
		return round{}, err
	}
	highest := p.watch()
	measured, err := wrk(ctx, s, p.url, scenario, nodes, duration)
	memory := highest()
	if err != nil {
		return round{}, err
	}
	after, err := p.usage()
	if err != nil {
		return round{}, err
	}
	took := time.Duration(measured.Microseconds) * time.Microsecond
	return round{
		Requests:  measured.Requests,
		Took:      took,
		PerSecond: float64(measured.Requests) / took.Seconds(),
		P50:       time.Duration(measured.P50) * time.Microsecond,
		P99:       time.Duration(measured.P99) * time.Microsecond,
		Refused:   measured.Refused,
		Failed:    measured.Failed,
		CPU:       (after.cpu - before.cpu) / time.Duration(measured.Requests),
		Memory:    memory,
	}, nil
}

// watch looks at a process's memory until the function that it returns is called, which
// returns the most that was seen.
func (p *process) watch() (highest func() usage) {
	const interval = 250 * time.Millisecond
	enough, seen := make(chan struct{}), make(chan usage)
	go func() {
		var most usage
		for {
			now, err := p.usage()
			if err == nil && now.RSS > most.RSS {
				most = now
			}
			select {
			case <-enough:
				seen <- most
				return
			case <-time.After(interval):
			}
		}
	}()
	return func() usage {
		close(enough)
		return <-seen
	}
}

// said is the last line of load.lua.
type said struct {
	Requests, Microseconds, P50, P99, Refused, Failed int
}

// wrk runs the load generator. Its one thread keeps to one core. On two cores the server has the
// other for itself, and what the load leaves of the first.
func wrk(
	ctx context.Context, s settings, url string, scenario scenario, nodes int, duration time.Duration,
) (measured said, err error) {
	words := []string{
		"--threads", "1", "--connections", strconv.Itoa(s.connections), "--latency",
		"--duration", fmt.Sprintf("%.0fs", duration.Seconds()), "--script", filepath.Join(s.home, "load.lua"), url,
		"--", scenario.Request.Path, string(scenario.Request.Body),
	}
	if nodes > 0 {
		words = append(words, scenario.Node, strconv.Itoa(nodes))
	}
	cmd := exec.CommandContext(ctx, "wrk", words...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	output, err := cmd.Output()
	if err != nil {
		return measured, fmt.Errorf("wrk: %w: %s", errors.Join(err, ctx.Err()), &complaints)
	}
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &measured); err != nil {
		return measured, fmt.Errorf("wrk said %s: %w", output, err)
	}
	if measured.Requests == 0 {
		return measured, errors.New("no request was answered")
	}
	return measured, nil
}
