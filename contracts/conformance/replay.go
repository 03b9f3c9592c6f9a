package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxReplay is how many lines a finding shows at most, the last ones, besides the registrations that they need.
	maxReplay = 20
	// fewRounds is how many calls alike become a loop at least.
	fewRounds = 3
	// leastPause is the time between two calls that belongs to what they show.
	leastPause = 200 * time.Millisecond
)

// made is a call of a trail, and when it was made. Without an end, the pause after it does not count.
type made struct {
	call
	began, ended time.Time
}

// keepFirst keeps the first calls of a trail: those that what follows needs. How long after them that follows
// says nothing, since calls between may be left out.
func (s *session) keepFirst(first int) {
	s.trail = s.trail[:min(len(s.trail), first)]
	if last := len(s.trail) - 1; last >= 0 {
		s.trail[last].ended = time.Time{}
	}
}

// keepNode keeps what concerns one node: the calls for it, and the last look at the list.
func (s *session) keepNode(id string) {
	last := len(s.trail) - 1
	var kept []made
	for i, m := range s.trail {
		if m.node == id || i == last && m.op.id == opList {
			kept = append(kept, m)
		}
	}
	s.trail = kept
}

// line is a part of a script.
type line struct {
	text      string
	nodes     []string // that it calls for
	registers bool
}

// replay returns the commands that repeat a trail. Calls alike are a loop.
func (p *prober) replay(trail []made) []string {
	var commands []string
	for _, m := range trail {
		commands = append(commands, p.curl(m.call))
	}
	var lines []line
	for at := 0; at < len(trail); {
		one, calls := loop(trail[at:], commands[at:])
		if at > 0 && pauseBetween(trail[at-1], trail[at]) > 0 {
			seconds := pauseBetween(trail[at-1], trail[at]).Seconds()
			lines = append(lines, line{text: fmt.Sprintf("sleep %.1f", seconds)})
		}
		lines = append(lines, one)
		at += calls
	}
	var script []string
	for _, l := range needed(lines) {
		script = append(script, l.text)
	}
	return script
}

// pauseBetween returns how long it was between two calls, zero if that does not count.
func pauseBetween(before, after made) time.Duration {
	pause := after.began.Sub(before.ended)
	if before.ended.IsZero() || pause < leastPause {
		return 0
	}
	return pause
}

// needed returns the last lines, and before them the last registrations of the nodes in them.
func needed(lines []line) []line {
	first := max(0, len(lines)-maxReplay)
	kept, nodes := lines[first:], map[string]bool{}
	for _, l := range kept {
		for _, id := range l.nodes {
			nodes[id] = true
		}
	}
	for _, l := range slices.Backward(lines[:first]) {
		named := func(id string) bool { return nodes[id] }
		if l.registers && slices.ContainsFunc(l.nodes, named) {
			kept = slices.Concat([]line{l}, kept)
			maps.DeleteFunc(nodes, func(id string, _ bool) bool { return slices.Contains(l.nodes, id) })
		}
	}
	return kept
}

// loop returns the first line of a trail, and how many calls it makes: one, or several rounds of one or two that
// are alike but for the number of their node.
func loop(trail []made, commands []string) (line, int) {
	for size := 1; size <= 2; size++ {
		rounds, first := 0, 0
		var texts []string
		for ; (rounds+1)*size <= len(trail); rounds++ {
			from, to := rounds*size, (rounds+1)*size
			same, number := round(trail[from:to], commands[from:to])
			if rounds == 0 {
				texts, first = same, number
			}
			if number < 0 || number != first+rounds || !slices.Equal(same, texts) {
				break
			}
		}
		if rounds >= fewRounds {
			text := fmt.Sprintf("for i in $(seq %d %d); do %s; done", first, first+rounds-1, strings.Join(texts, "; "))
			return lineOf(text, trail[:rounds*size]), rounds * size
		}
	}
	return lineOf(commands[0], trail[:1]), 1
}

// round returns the commands of calls for one node, with a variable for the number at the end of its id, and that
// number. The number is negative if the calls are not to be repeated.
func round(calls []made, commands []string) (texts []string, number int) {
	id := calls[0].node
	base := strings.TrimRight(id, "0123456789")
	number, err := strconv.Atoi(strings.TrimPrefix(id, base))
	if err != nil || strconv.Itoa(number) != strings.TrimPrefix(id, base) {
		return nil, -1
	}
	for i, c := range calls {
		if c.node != id || i > 0 && pauseBetween(calls[i-1], c) > 0 {
			return nil, -1
		}
		texts = append(texts, strings.ReplaceAll(commands[i], id, base+`'"$i"'`))
	}
	return texts, number
}

func lineOf(text string, calls []made) line {
	l := line{text: text}
	for _, c := range calls {
		l.registers = l.registers || c.op.id == opRegister
		if c.node != "" {
			l.nodes = append(l.nodes, c.node)
		}
	}
	return l
}
