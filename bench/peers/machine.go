package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// describeMachine says on what the figures were measured, a line each.
func describeMachine(ctx context.Context) []string {
	return []string{
		fmt.Sprintf("%s, %d cores, %s of memory", procField("/proc/cpuinfo", "model name"), runtime.NumCPU(), memory()),
		"Linux " + firstLine(os.ReadFile("/proc/sys/kernel/osrelease")),
		"Go " + strings.TrimPrefix(runtime.Version(), "go"),
		"Node.js: " + firstLine(exec.CommandContext(ctx, "node", "--version").Output()),
		"Java: " + firstLine(exec.CommandContext(ctx, "java", "-version").CombinedOutput()),
		"measured on " + time.Now().Format(time.DateOnly),
	}
}

func describe(s settings) string {
	return fmt.Sprintf("rounds: %d of %v after a warm-up of %v; connections: %d; timed starts: %d",
		s.rounds, s.duration, s.warmUp, s.connections, s.starts)
}

func memory() string {
	var kB int64
	_, _ = fmt.Sscan(procField("/proc/meminfo", "MemTotal"), &kB)
	return fmt.Sprintf("%.0f GiB", float64(kB)/(1<<20))
}

// procField returns the first value of a field in one of Linux's files of fields.
func procField(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(text []byte, err error) string {
	if err != nil {
		return "none"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
