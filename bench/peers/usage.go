package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux counts a process's time on the CPU, on every machine.
const tick = 10 * time.Millisecond

// usage is what a process group has used of the machine. Memory that several processes
// share counts in RSS for each of them, and in PSS for each its part of it.
type usage struct {
	cpu      time.Duration
	RSS, PSS int64 // bytes
}

func (p *process) usage() (total usage, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return total, err
	}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended meanwhile
		}
		group, cpu, err := parseStat(string(text))
		if err != nil {
			return total, fmt.Errorf("%s: %w", stat, err)
		}
		if group == p.group {
			rollup, err := os.ReadFile(filepath.Join(filepath.Dir(stat), "smaps_rollup"))
			if err != nil {
				return total, err
			}
			total.cpu += cpu
			total.RSS += parseRollup(string(rollup), "Rss:")
			total.PSS += parseRollup(string(rollup), "Pss:")
		}
	}
	return total, nil
}

// parseStat reads a process's group, and its time on the CPU with that of the children
// that it has outlived. What comes before the last parenthesis is its name, which may
// hold anything.
func parseStat(text string) (group int, cpu time.Duration, err error) {
	const state, pgrp, utime, cstime = 3, 5, 14, 17 // as proc(5) counts fields
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= cstime-state {
		return 0, 0, fmt.Errorf("has %d fields", len(fields))
	}
	group, err = strconv.Atoi(fields[pgrp-state])
	for _, field := range fields[utime-state : cstime-state+1] {
		ticks, wrong := strconv.ParseInt(field, 10, 64)
		if wrong != nil {
			err = wrong
		}
		cpu += time.Duration(ticks) * tick
	}
	return group, cpu, err
}

// parseRollup returns the bytes of a line of smaps_rollup, which is in kB.
func parseRollup(text, name string) int64 {
	_, rest, _ := strings.Cut(text, "\n"+name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.ParseInt(fields[0], 10, 64)
	return kB << 10
}
