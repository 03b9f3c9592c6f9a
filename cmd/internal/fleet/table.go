package fleet

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// writeText writes the report as a table for people.
func (r *Report) writeText(w io.Writer) error {
	r.clean()
	t := &table{}
	for _, title := range r.titles() {
		t.line("%s", title)
	}
	t.line("")
	t.nodes(r)
	t.beats(r)
	t.machine(r)
	t.orchestratord(r.Orchestratord)
	t.list("failures", failures(r.Failures))
	t.list("limits met", r.limits())
	if broken := r.Broken(); broken != nil {
		t.list("BROKEN", broken)
	} else {
		t.line("every promise was kept")
	}
	_, err := io.WriteString(w, t.text.String())
	return err
}

// titles says in a line for each fleet what ran.
func (r *Report) titles() (titles []string) {
	for _, f := range r.Fleets {
		titles = append(titles, fmt.Sprintf("%s: %s nodes, a heartbeat every %s, for %s",
			f.Prefix, grouped(int64(f.Nodes)), seconds(f.Interval), seconds(f.Ran)))
	}
	return titles
}

// table is a text of rows under headings.
type table struct {
	text    strings.Builder
	heading string // of the rows that come, empty once it has been written
}

func (t *table) line(format string, args ...any) {
	fmt.Fprintf(&t.text, format+"\n", args...)
}

// row writes a name, a value, and what the value means where that needs saying.
func (t *table) row(name, value string, meaning ...string) {
	t.line("%s",
		strings.TrimRight(fmt.Sprintf("%-15s%-14s%14s  %s", t.heading, name, value, strings.Join(meaning, " ")), " "))
	t.heading = ""
}

func (t *table) count(name string, n int64, meaning ...string) { t.row(name, grouped(n), meaning...) }

// unlessZero writes what only some fleets have.
func (t *table) unlessZero(name string, n int64, meaning ...string) {
	if n != 0 {
		t.count(name, n, meaning...)
	}
}

func (t *table) list(heading string, items []string) {
	for i, item := range items {
		if i > 0 {
			heading = ""
		}
		t.line("%-15s%s", heading, item)
	}
}

func (t *table) nodes(r *Report) {
	t.heading = "nodes"
	t.count("registered", int64(r.Registered), "of "+grouped(int64(r.Nodes)))
	t.unlessZero("again", r.Again, "registrations of nodes that orchestratord had lost")
	t.unlessZero("crashed", r.Trouble.Killed)
	t.unlessZero("revived", r.Trouble.Revived)
	t.unlessZero("changed", r.Trouble.Changed, "pools")
	t.unlessZero("left", int64(r.Left), "on record: they could not be deregistered")
}

func (t *table) beats(r *Report) {
	t.heading = "heartbeats"
	t.count("sent", r.Beats.Sent)
	t.count("answered", r.Beats.Answered)
	t.count("retried", r.Beats.Retried)
	t.count("missed", r.Beats.Missed)
	t.count("late", r.Beats.Late)
	t.heading = "latency"
	t.row("p50", inMilliseconds(r.Latency.at(50)))
	t.row("p99", inMilliseconds(r.Latency.at(99)))
	t.row("p99.9", inMilliseconds(r.Latency.at(99.9)))
	t.row("max", inMilliseconds(r.Latency.max))
}

func (t *table) machine(r *Report) {
	nodes, m := float64(max(r.Registered, 1)), r.Machine
	t.heading = "per node"
	t.row("memory", fmt.Sprintf("%.1f KB", float64(m.Memory)/nodes/1000),
		fmt.Sprintf("beyond %.0f MB without nodes", float64(m.Base)/1e6))
	t.row("goroutines", fmt.Sprintf("%.2f", float64(max(m.Goroutines, 0))/nodes))
}

func (t *table) orchestratord(c census) {
	if c.Error != "" {
		return
	}
	t.heading = "orchestratord"
	t.count("Online", int64(c.Online))
	t.unlessZero("Draining", int64(c.Draining))
	t.unlessZero("Registering", int64(c.Registering), "their first heartbeat is to come")
	t.unlessZero("Offline", int64(c.Offline))
	t.unlessZero("Failed", int64(c.Failed))
	t.unlessZero("absent", int64(c.Absent))
}

// failures lists the kinds of failures, the most frequent first.
func failures(counts map[string]int64) (lines []string) {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for _, kind := range kinds {
		lines = append(lines, grouped(counts[kind])+" × "+kind)
	}
	return lines
}

// grouped writes a number with its thousands apart.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", milliseconds(d))
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond).String()
}
